import Tensors

/// Passes every operation on to another device and, while it records, adds up the time of each by operation and
/// shapes.
///
/// A device with `OperationTiming` is not disturbed. Others are waited for before and after each operation,
/// so that the sum is more than the time of an undisturbed run.
public final class ProfilingDevice: Device {
    /// Whether operations are recorded.
    public var isRecording = false

    let device: any Device
    private let timing: (any OperationTiming)?
    private var profiles: [Key: OperationProfile] = [:]
    private var pending: [(key: Key, start: Int, end: Int)] = []

    private struct Key: Hashable {
        let operation: String
        let shapes: String
    }

    /// A device that does what another does, timed by itself if it can and nothing else is given.
    public init(_ device: any Device, timing: (any OperationTiming)? = nil) {
        self.device = device
        self.timing = timing ?? device as? any OperationTiming
    }

    public var name: String { device.name }
    public var activationType: DataType { device.activationType }
    public var matrixType: DataType { device.matrixType }

    /// What was recorded so far, what took longest first; waits until the device is done with it.
    public func operations() throws -> [OperationProfile] {
        for (key, start, end) in pending {
            profiles[key]?.seconds += try timing?.seconds(from: start, to: end) ?? 0
        }
        forgetMarks()
        return profiles.values.sorted { ($0.seconds, $0.shapes) > ($1.seconds, $1.shapes) }
    }

    /// Forgets what was recorded.
    public func removeRecords() {
        profiles = [:]
        forgetMarks()
    }

    private func forgetMarks() {
        pending = []
        timing?.removeMarks()
    }

    func measure<Result>(
        _ call: @autoclosure () -> OperationCall, _ operation: () throws -> Result
    ) throws -> Result {
        guard isRecording else { return try operation() }
        let call = call()
        let key = Key(operation: call.operation, shapes: call.shapes)
        var profile =
            profiles[key] ?? OperationProfile(operation: call.operation, shapes: call.shapes)
        profile.calls += 1
        profile.bytes += call.bytes
        profile.flops += call.flops
        let result: Result
        if let timing {
            let start = try timing.markStart()
            result = try operation()
            pending.append((key, start, try timing.markEnd()))
        } else {
            try device.synchronize()
            let start = ContinuousClock.now
            result = try operation()
            try device.synchronize()
            profile.seconds += (ContinuousClock.now - start) / .seconds(1)
        }
        profiles[key] = profile
        return result
    }
}

// MARK: - Memory

extension ProfilingDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        // Where the device works on meanwhile, this is no work of its own.
        if timing != nil { return try device.allocate(shape, dataType) }
        return try measure(OperationCall("allocate", [], reading: [], writing: [])) {
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

    public func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor {
        try measure(OperationCall("load", [], reading: [], writing: [])) {
            try device.load(numbers, scales: scales)
        }
    }

    public func allocateInput(rows: Int, of weight: Tensor) throws -> Tensor {
        try device.allocateInput(rows: rows, of: weight)
    }

    public func wantsTiledValues(head: Int) -> Bool { device.wantsTiledValues(head: head) }

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

extension ProfilingDevice: LifetimePlacing {
    public var lifetime: Lifetime {
        get { (device as? any LifetimePlacing)?.lifetime ?? .short }
        set { (device as? any LifetimePlacing)?.lifetime = newValue }
    }
}
