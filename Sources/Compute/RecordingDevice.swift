import Tensors

/// Computes nothing and logs every operation with shapes and types, so that the structure of a model
/// can be tested without weights, without a card and in no time. Reads give zeros.
public final class RecordingDevice: Device, LifetimePlacing {
    /// One operation that was asked for.
    public struct Record: Hashable, CustomStringConvertible {
        /// The operation's name, as in `Device`.
        public let operation: String
        /// The tensors it takes, in the order of the declaration; optional ones where given.
        public let inputs: [String]
        /// The tensor it writes.
        public let output: String

        public var description: String {
            "\(operation)(\(inputs.joined(separator: ", "))) -> \(output)"
        }
    }

    public let name = "recording"
    public let activationType: DataType
    public let matrixType: DataType
    /// What was asked for so far, in order.
    public private(set) var records: [Record] = []
    /// Bytes that live tensors hold now.
    public var allocatedBytes: Int { meter.current }
    /// The most bytes that live tensors held at once.
    public var peakBytes: Int { meter.peak }

    /// How the tensors so far lay in one block of memory that is large enough.
    public var arena: MemoryArena { meter.arena }
    /// How long memory is held that is allocated from now on.
    public var lifetime = Lifetime.short

    private let meter = Meter()
    private let workspaces: OperationWorkspaces?

    /// A device whose models keep activations in `activationType` and large matrices in `matrixType`, by default the same, and
    /// whose operations need `workspaces`, by default nothing.
    public init(
        activationType: DataType = .float32, matrixType: DataType? = nil,
        workspaces: OperationWorkspaces? = nil
    ) {
        self.activationType = activationType
        self.workspaces = workspaces
        self.matrixType = matrixType ?? activationType
    }

    /// Forgets how far tensors before those that live now reached.
    public func forgetReach() { meter.arena.forgetReach() }

    /// Forgets what was recorded.
    public func removeRecords() { records = [] }

    private func record(_ operation: String, _ inputs: [Tensor?], _ output: Tensor) {
        records.append(
            Record(
                operation: operation, inputs: inputs.compactMap { $0?.description },
                output: output.description))
    }
}

/// Counts bytes of live tensors, and finds places for them.
private final class Meter {
    var current = 0
    var peak = 0
    var arena = MemoryArena(capacity: 1 << 60)
}

/// Memory that is only counted.
private final class CountedStorage: Storage {
    let byteCount: Int
    private let start: Int
    private let meter: Meter

    init(byteCount: Int, lifetime: Lifetime, meter: Meter) {
        self.byteCount = byteCount
        self.meter = meter
        guard let range = try? meter.arena.allocate(byteCount, for: lifetime) else {
            preconditionFailure("no memory is that large")
        }
        start = range.lowerBound
        meter.current += byteCount
        meter.peak = max(meter.peak, meter.current)
    }

    deinit {
        meter.current -= byteCount
        meter.arena.release(at: start)
    }
}

// MARK: - Memory

extension RecordingDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) -> Tensor {
        Tensor(
            storage: CountedStorage(
                byteCount: shape.elementCount * dataType.size, lifetime: lifetime, meter: meter),
            shape: shape, dataType: dataType)
    }

    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) -> Tensor {
        let shape = views.stackedShape
        guard dataType.isNarrow, case .linear = use else { return allocate(shape, dataType) }
        return scaledRows(shape, dataType)
    }

    public func load(_ numbers: [TensorView], scales: [TensorView]) -> Tensor {
        precondition(scales.stackedShape == [numbers.stackedShape[0]])
        return scaledRows(numbers.stackedShape, numbers[0].dataType)
    }

    public func allocateInput(rows: Int, of weight: Tensor) -> Tensor {
        let shape: Shape = [rows, weight.shape[1]]
        guard weight.scales != nil else { return allocate(shape, activationType) }
        return scaledRows(shape, weight.dataType)
    }

    public func wantsTiledValues(head: Int) -> Bool {
        workspaces?.wantsTiledValues(head: head) ?? false
    }

    private func scaledRows(_ shape: Shape, _ dataType: DataType) -> Tensor {
        allocate(shape, dataType).scaled(byRows: allocate([shape[0]], .float32))
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) {
        precondition(bytes.count == tensor.byteCount)
    }

    public func clear(_ tensor: Tensor) {}

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    public func synchronize() {}
}

// MARK: - Operations

extension RecordingDevice {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) {
        precondition(x.shape[1] == weight.shape[1] && y.shape == [x.shape[0], weight.shape[0]])
        if let workspaces {
            let blocks = workspaces.linear(
                x, weight: weight, activation: activation, accumulating: accumulating, into: y,
                activationType: activationType)
            work(in: blocks)
        }
        record("linear", [x, weight, bias], y)
    }

    /// Holds blocks of that many bytes at once, for as long as the operation takes.
    private func work(in blocks: [Int]) {
        withExtendedLifetime(blocks.map { allocate([$0], .uint8) }) {}
    }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) {
        precondition(key.shape == value.shape && query.shape == out.shape)
        precondition(query.shape.rank == 4 && query.shape[0] == key.shape[0])
        precondition(query.shape[2] == key.shape[2] && query.shape[3] == key.shape[3])
        if let workspaces {
            let blocks = workspaces.attention(
                query: query, key: key, value: value, into: out, activationType: activationType)
            work(in: blocks)
        }
        record("attention", [query, key, value, bias], out)
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) {
        precondition(y.shape == geometry.outputShape(input: x.shape, weight: weight.shape))
        if let workspaces { work(in: workspaces.convolution(x, weight: weight, into: y)) }
        record("convolution", [x, weight, bias, residual], y)
    }

    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) {
        precondition(x.shape == y.shape)
        record("layerNorm", [x, weight, bias, scale, shift], y)
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) {
        precondition(x.shape.elementCount == y.shape.elementCount)
        record("rmsNorm", [x, weight, rotation], y)
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) {
        precondition(x.shape == y.shape && table.shape[0] == x.shape[0])
        record("rotate", [x, table], y)
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) {
        precondition(x.shape == y.shape && weight.shape.elementCount == x.shape[-1])
        record("channelNorm", [x, weight], y)
    }

    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) {
        precondition(x.shape == y.shape)
        record("activate", [x], y)
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) {
        precondition(x.shape == y.shape && x.shape == factor.shape)
        record("multiply", [x, factor], y)
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) {
        precondition(x.shape == y.shape)
        record("add", [x, addend, gate, mask], y)
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) {
        precondition(x.shape == y.shape)
        record("affine", [x, scale, shift], y)
    }

    public func copy(_ x: Tensor, into y: Tensor) {
        precondition(x.shape == y.shape)
        record("copy", [x], y)
    }

    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) {
        precondition(axes.map { x.shape[$0] } == y.shape.dimensions)
        record("permute", [x], y)
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) {
        record("gather", [table, indices], y)
    }

    public func upsample(_ x: Tensor, into y: Tensor) {
        record("upsample", [x], y)
    }

    public func quantizePixels(_ x: Tensor, into y: Tensor) {
        record("quantizePixels", [x], y)
    }
}
