import Tensors

/// A prepared checkpoint as models see it: weights that are stored with scales appear as bfloat16 under their published
/// names, and are multiplied out when they are asked for.
public final class PreparedCheckpoint: Checkpoint {
    /// The path of the checkpoint underneath.
    public var path: String { base.path }
    /// The tensors without their scales.
    public let tensors: [TensorDescriptor]

    private let base: any Checkpoint
    private let scaled: [String: TensorDescriptor]

    /// What the name of a weight's scales ends with.
    static let suffix = "_scale"

    /// A view of `base`; throws `BindingError` if scales do not fit their weight, or a narrow weight has none.
    public init(_ base: any Checkpoint) throws(BindingError) {
        self.base = base
        var problems: [BindingError.Problem] = []
        var scaled: [String: TensorDescriptor] = [:]
        var tensors: [TensorDescriptor] = []
        for tensor in base.tensors {
            if tensor.name.hasSuffix(Self.suffix),
                base.descriptor(of: String(tensor.name.dropLast(Self.suffix.count))) != nil
            {
                continue
            }
            guard tensor.dataType.isNarrow else {
                tensors.append(tensor)
                continue
            }
            if let problem = Self.problem(with: tensor, in: base) { problems.append(problem) }
            scaled[tensor.name] = tensor
            tensors.append(Self.seen(tensor))
        }
        guard problems.isEmpty else { throw BindingError(path: base.path, problems: problems) }
        self.scaled = scaled
        self.tensors = tensors
    }

    /// Whether a checkpoint stores weights with scales.
    static func isNeeded(for base: any Checkpoint) -> Bool {
        base.tensors.contains { $0.dataType.isNarrow }
    }

    private static func seen(_ tensor: TensorDescriptor) -> TensorDescriptor {
        TensorDescriptor(name: tensor.name, dataType: .bfloat16, shape: tensor.shape)
    }

    private static func problem(
        with tensor: TensorDescriptor, in base: any Checkpoint
    ) -> BindingError.Problem? {
        guard let scale = base.descriptor(of: tensor.name + suffix) else {
            return .init(
                tensor: tensor.name, reason: "is \(tensor.dataType) and has no scales")
        }
        guard tensor.shape.rank == 2, scale.dataType == .float32, scale.shape == [tensor.shape[0]]
        else {
            return .init(
                tensor: scale.name,
                reason: "is \(scale.dataType) \(scale.shape), expected a float32 for each row")
        }
        return nil
    }

    /// Type and shape of a tensor as models see it; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? {
        scaled[name].map(Self.seen) ?? base.descriptor(of: name)
    }

    /// The tensor of this name: in place, or multiplied out now; throws if there is none.
    public func tensor(_ name: String) throws -> TensorView {
        let stored = try base.tensor(name)
        guard scaled[name] != nil else { return stored }
        let scales = try base.tensor(name + Self.suffix).floats()
        let columns = stored.shape[1]
        let bytes = HeapBytes(count: stored.shape.elementCount * DataType.bfloat16.size)
        withFloatRows(stored) { range, floats in
            let target = (bytes.start + range.lowerBound * columns * DataType.bfloat16.size)
                .bindMemory(to: BFloat16.self, capacity: floats.count)
            for index in floats.indices {
                target[index] = BFloat16(
                    floats[index] * scales[range.lowerBound + index / columns])
            }
        }
        return TensorView(
            name: name, dataType: .bfloat16, shape: stored.shape,
            bytes: UnsafeRawBufferPointer(
                start: bytes.start, count: stored.shape.elementCount * DataType.bfloat16.size),
            owner: bytes)
    }

    /// The type of the weights that are stored with scales; nil if there are several.
    public var numberType: DataType? {
        let types = Set(scaled.values.map(\.dataType))
        return types.count == 1 ? types.first : nil
    }

    /// The numbers and scales of a weight that is stored so, in place; nil for others.
    func stored(_ name: String) throws -> ScaledView? {
        guard scaled[name] != nil else { return nil }
        return ScaledView(
            numbers: try base.tensor(name), scales: try base.tensor(name + Self.suffix))
    }

    /// Passes on advice about the stored weight.
    public func advise(_ advice: MappedFile.Advice, _ name: String) { base.advise(advice, name) }

    /// Adds the checkpoint underneath.
    public func hash(into digest: inout CheckpointDigest) { base.hash(into: &digest) }
}
