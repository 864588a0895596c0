import Artifacts
import Checkpoints
import Compute
import Layers
import Tensors
import TextEncoder

/// The stage from a prompt to the text condition.
public struct TextStage {
    private let tokenizer: UnigramTokenizer
    private let encoder: UMT5Encoder
    private let weights: Provenance.Input
    private let tokenizerInput: Provenance.Input
    private let listener: StageListener

    /// Opens the tokenizer and binds the encoder to its checkpoint; loads no weights yet.
    ///
    /// Throws what is missing, mis-shaped or malformed, or if tokenizer and encoder do not belong together.
    public init(
        weights path: String, strict: Bool, listener: @escaping StageListener
    ) throws {
        let folder = try WeightFolder(path: path)
        let tokenizerPath = try folder.tokenizerPath()
        let checkpoint = try folder.textEncoder()
        tokenizer = try UnigramTokenizer(contentsOf: tokenizerPath)
        let binder = WeightBinder(checkpoint)
        encoder = try UMT5Encoder(binder)
        for warning in try binder.finish(strict: strict) { try listener(.warning(warning)) }
        try encoder.check(largestToken: Int32(tokenizer.largestID))
        weights = .weights(checkpoint.path, digest: checkpoint.digest)
        tokenizerInput = try .file(tokenizerPath, as: "tokenizer")
        self.listener = listener
    }

    /// Encodes a prompt and writes the condition.
    ///
    /// Throws `StageError` before anything is computed if `output` is something else; with `overwrite` it is replaced.
    public func write(
        prompt: String, to output: String, overwrite: Bool = false, as dataType: DataType,
        on device: any Device, toolVersion: String
    ) throws {
        let provenance = Provenance(
            tool: "encode-text", toolVersion: toolVersion,
            options: [
                "prompt": prompt, "output-type": FloatName.of(dataType),
                "precision": FloatName.of(device.matrixType),
            ], inputs: [tokenizerInput, weights])
        try OutputFile(path: output, overwrite: overwrite).check(.textCondition, provenance)
        let text = tokenizer.encode(PromptCleaner.clean(prompt))
        if text.truncatedTokens > 0 {
            try listener(
                .warning(
                    "the prompt has \(text.truncatedTokens) tokens more than the model reads; its end is left out"
                ))
        }
        let context = try encoder.encode(text.ids.map { Int32($0) }, on: device) {
            try listener(.progress("layer \($0.completed) of \($0.total)"))
        }
        let writer = try TextCondition.create(
            path: output, tokens: context.shape[0], width: context.shape[1], type: dataType,
            provenance: provenance)
        try writer.write(device.floats(context), to: "context")
        try writer.commit()
    }
}
