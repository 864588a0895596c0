import Compute
import ComputeCPU
import Conformance
import Tensors
import Testing

/// Every case on the CPU; in sequence, as each uses all cores.
///
/// All that is optional is offered: a case that throws fails here.
///
/// Largest errors observed: float32 1.6e-6 (attention/sharp; 6.7e-6 for layerNorm/offset),
/// bfloat16 3.4e-3 (convolution/causal-one-frame).
@Suite(.serialized) struct CPUDeviceTests {
    /// The types that this processor multiplies.
    private static var types: [DataType] {
        [.float32, .bfloat16].filter(CPUDevice.isSupported)
    }

    @Test(arguments: OperationCase.all.map(\.name))
    func meetsTheReference(name: String) throws {
        let device = try CPUDevice()
        let operation = try #require(OperationCase.all.first { $0.name == name })
        for type in Self.types where operation.types.contains(type) {
            let row = try run(operation, on: device, type)
            #expect(row.error <= row.tolerance, "\(type)")
            #expect(row.isDeterministic, "\(type)")
        }
    }

    /// The kernels that this processor would not choose, too.
    @Test(arguments: CPUDevice.instructionSets)
    func meetsTheReference(instructionSet: String) throws {
        let device = try CPUDevice(instructionSet: instructionSet)
        #expect(device.instructionSet == instructionSet)
        for row in try runCases(on: device, types: Self.types) {
            #expect(row.isPassed, "\(row)")
        }
    }

    @Test func refusesUnknownInstructionSets() {
        #expect(throws: UnsupportedOperation.self) {
            try CPUDevice(instructionSet: "something else")
        }
    }

    /// The number of threads changes no bit, as every element is computed by one thread alone.
    @Test func threadsChangeNothing() throws {
        let results = try [1, 2, 3].map { threads in
            let device = try CPUDevice(threads: threads)
            #expect(device.threads == threads)
            let x = try device.tensor(noise(300 * 128), [1, 300, 2, 64])
            let y = try device.attention(query: x, key: x, value: x, scale: 0.125)
            let rows = x.reshaped([300, 128])
            let normal = try device.layerNorm(rows, epsilon: 1e-6)
            try device.accumulate(normal, onto: y.reshaped([300, 128]))
            return try device.floats(y)
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    /// A weight that was packed for many rows serves any number of them.
    @Test func packedWeightsServeAnyNumberOfRows() throws {
        let device = try CPUDevice()
        let view = HostFloats(noise(96 * 64)).view([96, 64])
        let packed = try device.load([view], as: .float32, for: .linear)
        let plain = try device.load([view], as: .float32, for: .elements)
        for rows in [1, 2, 3, 7, 16, 33, 1000] {
            let x = try device.tensor(noise(rows * 64), [rows, 64])
            let a = try device.floats(device.linear(x, weight: packed))
            let b = try device.floats(device.linear(x, weight: plain))
            #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 }, "\(rows) rows")
        }
    }
}
