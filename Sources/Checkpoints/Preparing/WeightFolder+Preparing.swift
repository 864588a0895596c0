import Foundation
import Tensors

extension WeightFolder {
    /// The type of 8 bits in which a prepared folder keeps the denoiser's matrices; nil if it is as published. Throws what opening
    /// the denoiser throws.
    public func preparedType() throws -> DataType? {
        try (denoiser() as? PreparedCheckpoint)?.numberType
    }

    /// What was merged into a prepared folder's denoiser, as the report beside its shards has it; nil if nothing was, or the
    /// folder is as published. Throws if the report is malformed.
    public func mergedLoRA() throws -> String? {
        let path = "\(modelPath)/\(PreparedModel.denoiser.reportName)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let lora = try ConfigurationFile(path: path).string("lora", default: "")
        return lora.isEmpty ? nil : lora
    }

    /// Puts the files of the models that were not prepared, and the denoiser's `config.json`, into a prepared folder: as
    /// links to the same bytes where both are on one file system, else copied. Files that are there already stay, and
    /// those that the published folder lacks are left out.
    public func copyOtherFiles(to folder: String, withTextEncoder: Bool = true) throws {
        let audio = Self.audioEncoderName
        let textEncoder = withTextEncoder ? [Self.textEncoderName] : []
        let names =
            textEncoder + Self.videoVAENames + [
                "config.json", "\(Self.tokenizerName)/tokenizer.json", "\(audio)/config.json",
                "\(audio)/model.safetensors", "\(audio)/pytorch_model.bin",
            ]
        let manager = FileManager.default
        for name in names {
            let (source, target) = ("\(modelPath)/\(name)", "\(folder)/\(name)")
            guard manager.fileExists(atPath: source), !manager.fileExists(atPath: target) else {
                continue
            }
            let parent = target.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            try manager.createDirectory(
                atPath: parent.joined(separator: "/"), withIntermediateDirectories: true)
            do {
                try manager.linkItem(atPath: source, toPath: target)
            } catch {
                let partial = target + ".partial"
                try? manager.removeItem(atPath: partial)
                try manager.copyItem(atPath: source, toPath: partial)
                try manager.moveItem(atPath: partial, toPath: target)
            }
        }
    }
}
