import Tensors

/// Low-rank changes to a model's weights, as PEFT stores them: pairs `A` [rank, in] and `B`
/// [out, rank] for `W += scale * B * A`, and whole weights that replace others.
///
/// Source of the names: https://github.com/huggingface/peft/blob/v0.13.2/docs/source/developer_guides/checkpoint.md
public struct LoRA: Sendable {
    /// The two factors for one weight.
    struct Pair: Sendable {
        /// Name and shape of `A`, [rank, in].
        let down: TensorDescriptor
        /// Name and shape of `B`, [out, rank].
        let up: TensorDescriptor

        /// Columns of `A`'s, rows of `B`'s meeting dimension.
        var rank: Int { down.shape[0] }
        /// The shape of the product, [out, in].
        var shape: Shape { [up.shape[0], down.shape[1]] }
    }

    /// The file's path as it was given.
    public var path: String { file.path }
    /// What the product is multiplied with: alpha / rank.
    public let scale: Float

    let file: any Checkpoint
    /// Pairs by the name of the weight that they change.
    let pairs: [String: Pair]
    /// Names in the file of everything else, by the name of the weight that it would replace.
    let replacements: [String: String]

    /// alpha / rank of the published adapter.
    public static let publishedScale: Float = 0.5

    /// Opens a file of pairs; throws `SystemError` or `TensorFileError`, as when a factor lacks its
    /// partner or their ranks differ.
    public init(path: String, scale: Float = publishedScale) throws {
        try self.init(try openCheckpoint(at: path), scale: scale)
    }

    /// Sorts the tensors of a file into pairs and replacements; throws `TensorFileError`.
    init(_ file: any Checkpoint, scale: Float) throws(TensorFileError) {
        self.file = file
        self.scale = scale
        // The first name decides, as in the released code.
        let first = file.tensors.first?.name ?? ""
        let prefix = Self.prefixes.first(where: first.hasPrefix) ?? ""
        var factors: [String: [Factor: TensorDescriptor]] = [:]
        var replacements: [String: String] = [:]
        for tensor in file.tensors {
            let name =
                tensor.name.hasPrefix(prefix)
                ? String(tensor.name.dropFirst(prefix.count)) : tensor.name
            if let (module, factor) = Self.split(name) {
                let other = factors[module + ".weight", default: [:]]
                    .updateValue(tensor, forKey: factor)
                guard other == nil else {
                    throw TensorFileError(
                        path: file.path, tensor: tensor.name, reason: "stands there twice")
                }
            } else {
                replacements[name] = tensor.name
            }
        }
        self.replacements = replacements
        pairs = try Self.pair(factors, path: file.path)
    }

    private static let prefixes = ["base_model.model.", "diffusion_model."]

    /// Which of the two factors a tensor is.
    private enum Factor: String, CaseIterable {
        case down = "lora_A"
        case up = "lora_B"
    }

    /// The module and the factor that a name speaks of; nil for other names.
    private static func split(_ name: String) -> (module: String, factor: Factor)? {
        for factor in Factor.allCases {
            for ending in [".\(factor.rawValue).default.weight", ".\(factor.rawValue).weight"]
            where name.hasSuffix(ending) {
                return (String(name.dropLast(ending.count)), factor)
            }
        }
        return nil
    }

    private static func pair(
        _ factors: [String: [Factor: TensorDescriptor]], path: String
    ) throws(TensorFileError) -> [String: Pair] {
        var pairs: [String: Pair] = [:]
        for (target, found) in factors.sorted(by: { $0.key < $1.key }) {
            for factor in found.values where !isFactor(factor) {
                throw TensorFileError(
                    path: path, tensor: factor.name,
                    reason: "is \(factor.dataType) \(factor.shape), expected a float matrix")
            }
            guard let down = found[.down], let up = found[.up] else {
                let lonely = found.values.first?.name ?? target
                throw TensorFileError(
                    path: path, tensor: lonely,
                    reason: "lacks its partner (\(found[.down] == nil ? "lora_A" : "lora_B"))")
            }
            guard down.shape[0] == up.shape[1] else {
                throw TensorFileError(
                    path: path, tensor: up.name,
                    reason:
                        "has rank \(up.shape[1]), its partner '\(printable(down.name))' \(down.shape[0])"
                )
            }
            pairs[target] = Pair(down: down, up: up)
        }
        return pairs
    }
}

/// Whether a tensor is a matrix of floats with at least one element.
private func isFactor(_ tensor: TensorDescriptor) -> Bool {
    tensor.shape.rank == 2 && tensor.shape.elementCount > 0 && isMergeable(tensor.dataType)
}

/// Whether weights of a type can be widened to float32, changed, and rounded back.
func isMergeable(_ dataType: DataType) -> Bool {
    switch dataType {
    case .float32, .bfloat16, .float16: true
    default: false
    }
}
