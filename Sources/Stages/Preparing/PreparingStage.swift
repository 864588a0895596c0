import Artifacts
import Checkpoints
import Foundation
import Tensors

/// The stage from published weights to a folder whose denoiser, and text encoder if wanted, need no more work when they
/// are loaded.
public struct PreparingStage {
    private let folder: WeightFolder
    private let checkpoint: any Checkpoint
    private let textEncoder: (any Checkpoint)?
    private let lora: WeightPreparation.Adapter?
    private let listener: StageListener

    /// Opens the published weights, and pairs the denoiser's with a LoRA if there is one.
    ///
    /// Throws what is missing, malformed or does not fit; with `strict` also what of the LoRA is left over.
    public init(
        weights: String, lora: String?, loraScale: Float, withTextEncoder: Bool, strict: Bool,
        listener: @escaping StageListener
    ) throws {
        folder = try WeightFolder(path: weights)
        self.listener = listener
        let published = try folder.denoiser()
        textEncoder = withTextEncoder ? try folder.textEncoder() : nil
        guard !(published is PreparedCheckpoint), !(textEncoder is PreparedCheckpoint),
            try folder.mergedLoRA() == nil
        else {
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
        self.lora = try .init(
            description: "\(name) times \(loraScale)", digest: FileDigest.sha256(of: path))
    }

    /// Writes what is missing of the prepared folder; what the rounding lost of each tensor that became narrow, by model.
    ///
    /// Throws `PreparationConflict` if the folder holds something else, unless that is another preparation and `overwrite` is set;
    /// also what reading and writing throw, as on a full disk; shards that are finished stay.
    public func write(
        to output: String, as precision: PreparedPrecision, overwrite: Bool = false
    ) throws -> [PreparationReport] {
        do {
            try FileManager.default.createDirectory(
                atPath: output, withIntermediateDirectories: true)
        } catch {
            throw StageError("cannot make the folder '\(output)': \(error.localizedDescription)")
        }
        var preparations = [
            WeightPreparation(of: checkpoint, as: precision, lora: lora, into: output)
        ]
        if let textEncoder {
            preparations.append(
                WeightPreparation(
                    of: textEncoder, .textEncoder, as: precision, lora: nil, into: output))
        }
        for preparation in preparations { try preparation.makeRoom(replacing: overwrite) }
        let reports = try preparations.map { try $0.run(monitor: hear) }
        try folder.copyOtherFiles(to: output, withTextEncoder: textEncoder == nil)
        return reports
    }

    private func hear(_ event: WeightPreparation.Event) throws {
        guard case .shard(let name, let number, let count, let wasThere) = event else { return }
        try listener(
            .progress("\(name), \(number) of \(count)\(wasThere ? ", was there" : "")"))
    }
}
