import Artifacts
import Checkpoints
import Denoiser
import Layers
import Tensors

/// A transformer bound to its checkpoint, with no weights loaded yet.
public struct BoundDenoiser {
    /// The transformer.
    public let transformer: CausalTransformer
    /// What identifies the weights, for provenance.
    let inputs: [Provenance.Input]

    /// Opens a folder of weights and binds the transformer, with a LoRA merged if there is one.
    ///
    /// Warns if prepared matrices are not of `matrixType`, the 8 bits in which they will be used. Throws what is missing, mis-shaped or malformed; with `strict` also what is left over.
    public init(
        weights path: String, lora: String?, scale: Float, strict: Bool,
        matrixType: DataType? = nil, listener: StageListener
    ) throws {
        let folder = try WeightFolder(path: path)
        let configuration = try DenoiserConfiguration(
            ConfigurationFile(path: folder.denoiserConfigurationPath()))
        var checkpoint = try folder.denoiser()
        var inputs = [
            Provenance.Input.weights(folder.modelPath, digest: checkpoint.digest)
        ]
        if let lora {
            if let merged = try folder.mergedLoRA() {
                throw StageError(
                    "cannot merge '\(lora)': '\(folder.modelPath)' was prepared with \(merged)")
            }
            let adapterPath = try WeightFolder.adapterPath(at: lora)
            let adapter = try LoRA(path: adapterPath, scale: scale)
            let merged = try MergedCheckpoint(checkpoint, adapter, strict: strict)
            for warning in merged.warnings { try listener(.warning(warning)) }
            inputs.append(try .file(adapterPath, as: "lora"))
            checkpoint = merged
        }
        if let stored = (checkpoint as? PreparedCheckpoint)?.numberType, let matrixType,
            matrixType != stored
        {
            try listener(
                .warning(
                    "'\(folder.modelPath)' keeps matrices in \(FloatName.of(stored)): rounding them again to \(FloatName.of(matrixType)) loses more than rounding once"
                ))
        }
        let binder = WeightBinder(checkpoint)
        transformer = try CausalTransformer(WeightScope(binder), configuration: configuration)
        for warning in try binder.finish(strict: strict) { try listener(.warning(warning)) }
        self.inputs = inputs
    }
}
