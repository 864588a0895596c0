import Checkpoints
import Foundation
import Tensors

/// The stage from published weights to a folder whose denoiser needs no more work when it is loaded.
public struct PreparingStage {
    private let folder: WeightFolder
    private let checkpoint: any Checkpoint
    private let lora: String?
    private let listener: StageListener

    /// Opens the published weights, and pairs them with a LoRA if there is one.
    ///
    /// Throws what is missing, malformed or does not fit; with `strict` also what of the LoRA is left over.
    public init(
        weights: String, lora: String?, loraScale: Float, strict: Bool,
        listener: @escaping StageListener
    ) throws {
        folder = try WeightFolder(path: weights)
        self.listener = listener
        let published = try folder.denoiser()
        guard !(published is PreparedCheckpoint), try folder.mergedLoRA() == nil else {
            throw StageError("cannot prepare '\(folder.modelPath)': it is prepared already")
        }
        guard let lora else {
            checkpoint = published
            self.lora = nil
            return
        }
        let path = try WeightFolder.adapterPath(at: lora)
        let merged = try MergedCheckpoint(
            published, LoRA(path: path, scale: loraScale), strict: strict)
        for warning in merged.warnings { try listener(.warning(warning)) }
        checkpoint = merged
        let name = path.split(separator: "/").last.map(String.init) ?? path
        self.lora = "\(name) times \(loraScale)"
    }

    /// Writes what is missing of the prepared folder; what the rounding lost of each tensor that became narrow.
    ///
    /// Throws what reading and writing throw, as on a full disk; shards that are finished stay.
    public func write(
        to output: String, as precision: PreparedPrecision
    ) throws -> PreparationReport {
        try FileManager.default.createDirectory(
            atPath: output, withIntermediateDirectories: true)
        let preparation = WeightPreparation(
            of: checkpoint, as: precision, lora: lora, into: output)
        let report = try preparation.run {
            guard case .shard(let name, let number, let count, let wasThere) = $0 else { return }
            try listener(
                .progress("\(name), \(number) of \(count)\(wasThere ? ", was there" : "")"))
        }
        try folder.copyOtherFiles(to: output)
        return report
    }
}
