import Tensors

/// The encoded prompt: `context`, a row of features per token.
public struct TextCondition: Sendable {
    /// The features: [tokens, text_dim], float32 or bfloat16.
    public let context: TensorView
    /// How the file was made, as far as it says.
    public let provenance: Provenance?

    /// Opens a file; with `width`, only if each token has that many features.
    ///
    /// Throws `SystemError` or `TensorFileError`.
    public init(path: String, width: Int? = nil, tokenLimit: Int? = nil) throws {
        let file = try TensorFile(path: path)
        try ArtifactHeader.check(file, is: .textCondition)
        context = try file.tensor(
            "context", axes: [Axis("tokens"), Axis("values per token", width)],
            types: ArtifactKind.conditionTypes)
        if let tokenLimit, context.shape[0] > tokenLimit {
            throw TensorFileError(
                path: path, tensor: "context",
                reason: "has \(context.shape[0]) tokens, the model takes at most \(tokenLimit)")
        }
        provenance = Provenance(metadata: file.metadata)
    }

    /// Begins a file; the caller fills `context` and commits. Throws `SystemError`.
    public static func create(
        path: String, tokens: Int, width: Int, type: DataType = .float32, provenance: Provenance
    ) throws -> TensorFileWriter {
        precondition(ArtifactKind.conditionTypes.contains(type))
        return try TensorFileWriter(
            path: path,
            tensors: [
                TensorDescriptor(name: "context", dataType: type, shape: [tokens, width])
            ],
            metadata: try ArtifactHeader.metadata(of: .textCondition, provenance: provenance))
    }
}
