import Tensors

/// Passes every operation on to another device and, while it records, waits for each and adds up its
/// time by operation and shapes.
///
/// Waiting keeps a device from running ahead, so that the sum is more than the time of an undisturbed
/// run: launches that were hidden show.
public final class ProfilingDevice: Device {
    /// Whether operations are waited for and recorded.
    public var isRecording = false

    let device: any Device
    private var profiles: [Key: OperationProfile] = [:]

    private struct Key: Hashable {
        let operation: String
        let shapes: String
    }

    /// A device that does what another does.
    public init(_ device: any Device) {
        self.device = device
    }

    public var name: String { device.name }
    public var activationType: DataType { device.activationType }

    /// What was recorded so far, what took longest first.
    public var operations: [OperationProfile] {
        profiles.values.sorted { ($0.seconds, $0.shapes) > ($1.seconds, $1.shapes) }
    }

    /// Forgets what was recorded.
    public func removeRecords() { profiles = [:] }

    func measure<Result>(
        _ call: @autoclosure () -> OperationCall, _ operation: () throws -> Result
    ) throws -> Result {
        guard isRecording else { return try operation() }
        let call = call()
        try device.synchronize()
        let start = ContinuousClock.now
        let result = try operation()
        try device.synchronize()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let key = Key(operation: call.operation, shapes: call.shapes)
        var profile =
            profiles[key] ?? OperationProfile(operation: call.operation, shapes: call.shapes)
        profile.calls += 1
        profile.seconds += seconds
        profile.bytes += call.bytes
        profile.flops += call.flops
        profiles[key] = profile
        return result
    }
}

// MARK: - Memory

extension ProfilingDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        try measure(OperationCall("allocate", [], reading: [], writing: [])) {
            try device.allocate(shape, dataType)
        }
    }

    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) throws -> Tensor {
        try measure(OperationCall("load", [], reading: [], writing: [])) {
            try device.load(views, as: dataType, for: use)
        }
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws {
        try measure(OperationCall("write", [tensor.shape], reading: [], writing: [tensor])) {
            try device.write(bytes, to: tensor)
        }
    }

    public func clear(_ tensor: Tensor) throws {
        try measure(OperationCall("clear", [tensor.shape], reading: [], writing: [tensor])) {
            try device.clear(tensor)
        }
    }

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        try measure(OperationCall("read", [tensor.shape], reading: [tensor], writing: [])) {
            try device.read(tensor, into: bytes)
        }
    }

    public func synchronize() throws { try device.synchronize() }
}
