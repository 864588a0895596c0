import Tensors

/// A checkpoint under other names, as when a library renamed its parameters between versions.
public final class RenamedCheckpoint: Checkpoint {
    /// The path of the checkpoint underneath.
    public var path: String { base.path }
    /// All tensors, under their new names.
    public let tensors: [TensorDescriptor]

    private let base: any Checkpoint
    private let indices: [String: Int]
    private let originals: [String]

    /// Renames every tensor by a rule; throws `TensorFileError` if two end up with one name.
    public init(_ base: any Checkpoint, by rename: (String) -> String) throws(TensorFileError) {
        self.base = base
        originals = base.tensors.map(\.name)
        tensors = base.tensors.map {
            TensorDescriptor(name: rename($0.name), dataType: $0.dataType, shape: $0.shape)
        }
        var indices: [String: Int] = [:]
        for (index, tensor) in tensors.enumerated()
        where indices.updateValue(index, forKey: tensor.name) != nil {
            throw TensorFileError(
                path: base.path, tensor: originals[index],
                reason: "stands beside '\(printable(tensor.name))', which is the same tensor")
        }
        self.indices = indices
    }

    /// Type and shape of a tensor; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? {
        indices[name].map { tensors[$0] }
    }

    /// The tensor of this name; throws if there is none.
    public func tensor(_ name: String) throws -> TensorView {
        guard let index = indices[name] else {
            throw TensorFileError(path: path, tensor: name, reason: "is missing")
        }
        let view = try base.tensor(originals[index])
        return TensorView(
            name: name, dataType: view.dataType, shape: view.shape, bytes: view.bytes,
            owner: view.owner)
    }

    /// Tells the kernel how a tensor's bytes will be used next.
    public func advise(_ advice: MappedFile.Advice, _ name: String) {
        if let index = indices[name] { base.advise(advice, originals[index]) }
    }

    /// Adds what identifies the checkpoint underneath.
    public func hash(into digest: inout CheckpointDigest) { base.hash(into: &digest) }
}

extension RenamedCheckpoint {
    /// Gives the two halves of weight-normed weights their old names, `weight_g` and `weight_v`,
    /// where PyTorch 2 calls them `parametrizations.weight.original0` and `original1`.
    ///
    /// Source: `torch.nn.utils.parametrizations.weight_norm`,
    /// https://github.com/pytorch/pytorch/blob/v2.4.0/torch/nn/utils/parametrizations.py#L360-L383
    public convenience init(withOldWeightNormNames base: any Checkpoint) throws(TensorFileError) {
        let newNames = [
            "parametrizations.weight.original0": "weight_g",
            "parametrizations.weight.original1": "weight_v",
        ]
        try self.init(base) { name in
            for (new, old) in newNames where name == new || name.hasSuffix("." + new) {
                return name.dropLast(new.count) + old
            }
            return name
        }
    }
}
