import Compute
import Tensors
import Testing

/// What a profile says of operations, on a device that does nothing.
@Suite struct ProfilingDeviceTests {
    private let recording = RecordingDevice(activationType: .bfloat16)
    private let device: ProfilingDevice

    init() { device = ProfilingDevice(recording) }

    /// A product of bfloat16 [3, 4] and [5, 4] with a bias.
    private func product(onto y: Tensor? = nil) throws {
        let x = try device.allocate([3, 4], .bfloat16)
        let weight = try device.allocate([5, 4], .bfloat16)
        let bias = try device.allocate([5], .float32)
        try device.linear(
            x, weight: weight, bias: bias, activation: .silu, accumulating: y != nil,
            into: y ?? device.allocate([3, 5], .bfloat16))
    }

    @Test func passesOnAndRecordsNothingUnasked() throws {
        try product()
        #expect(recording.records.last?.operation == "linear")
        #expect(try device.operations() == [])
    }

    @Test func countsCallsBytesAndOperations() throws {
        device.isRecording = true
        for _ in 0..<2 { try product() }
        let row = try #require(try device.operations().first { $0.operation == "linear silu" })
        #expect(row.shapes == "[3, 4] [5, 4]")
        #expect(row.calls == 2)
        #expect(row.bytes == 2 * (2 * 12 + 2 * 20 + 4 * 5 + 2 * 15))
        #expect(row.flops == 2 * (2 * 3 * 4 * 5))
        #expect(row.seconds > 0)
    }

    @Test func readsWhatItAddsTo() throws {
        device.isRecording = true
        try product(onto: device.allocate([3, 5], .bfloat16))
        let row = try #require(
            try device.operations().first { $0.operation == "linear silu accumulating" })
        #expect(row.bytes == 2 * 12 + 2 * 20 + 4 * 5 + 2 * 2 * 15)
    }

    @Test func convolutionsAndAttentionCountEveryProduct() throws {
        device.isRecording = true
        let pixels = try device.allocate([2, 4, 4, 6], .bfloat16)
        let kernel = try device.allocate([8, 3, 1, 3, 3], .bfloat16)
        try device.convolution(
            pixels, weight: kernel, bias: nil,
            geometry: ConvolutionGeometry(groups: 2), residual: nil,
            into: device.allocate([2, 2, 2, 8], .bfloat16))
        let query = try device.allocate([1, 7, 2, 4], .bfloat16)
        let key = try device.allocate([1, 9, 2, 4], .bfloat16)
        _ = try device.attention(query: query, key: key, value: key, scale: 1)
        let flops = try Dictionary(
            uniqueKeysWithValues: device.operations().map { ($0.operation, $0.flops) })
        #expect(flops["convolution"] == 2 * (2 * 2 * 2 * 8) * 27)
        #expect(flops["attention"] == 2 * (2 * 7 * 9 * 2 * 4))
    }

    /// Each mark of the clock passes a second after the one before.
    @Test func timesByMarksWhereADeviceHasThem() throws {
        let profiler = ProfilingDevice(recording, timing: CountingClock())
        let x = try profiler.allocate([3, 4], .float32)
        profiler.isRecording = true
        for _ in 0..<3 { try profiler.activate(x, .silu, into: x) }
        let rows = try profiler.operations()
        #expect(rows.map(\.operation) == ["activate silu"])
        #expect(rows.map(\.seconds) == [3])
        #expect(try profiler.operations() == rows)
    }

    @Test func theSlowerOfTwoRatesBounds() throws {
        device.isRecording = true
        try product()
        let row = try #require(try device.operations().first { $0.operation == "linear silu" })
        #expect(row.shortestTime(flopsPerSecond: 1, bytesPerSecond: 1e9) == 120)
        #expect(row.shortestTime(flopsPerSecond: 1e9, bytesPerSecond: 1) == 114)
        device.removeRecords()
        #expect(try device.operations() == [])
    }
}

/// Marks at successive seconds.
private final class CountingClock: OperationTiming {
    private var marks = 0

    func markStart() -> Int { mark() }
    func markEnd() -> Int { mark() }
    func removeMarks() { marks = 0 }

    func seconds(from start: Int, to end: Int) -> Double {
        precondition(start < end && end < marks)
        return Double(end - start)
    }

    private func mark() -> Int {
        marks += 1
        return marks - 1
    }
}
