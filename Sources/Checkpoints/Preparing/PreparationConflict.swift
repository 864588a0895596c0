import Foundation
import Tensors

/// A folder that holds something else than what is to be prepared into it.
public struct PreparationConflict: Error, Hashable, Sendable, CustomStringConvertible {
    /// The folder.
    public let folder: String
    /// What it holds.
    public let holds: String
    /// Whether it may be replaced if that is asked for.
    public let isReplaceable: Bool

    public var description: String {
        "cannot write '\(folder)': \(holds)"
            + (isReplaceable ? "; --overwrite replaces it" : "")
    }
}

/// What is in a folder for a model's prepared weights before a preparation begins.
struct PreparationPlace {
    private let folder: String
    private let model: PreparedModel
    private let identity: [String: String]

    /// A place for a preparation that is known by `identity`.
    init(folder: String, model: PreparedModel, identity: [String: String]) {
        self.folder = folder
        self.model = model
        self.identity = identity
    }

    /// Takes away what another preparation left, if it may be replaced; its index first, without which no folder is taken for
    /// whole. Throws `PreparationConflict` if it may not, or if there are weights that were not prepared.
    func clear(replacing: Bool) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let shards = names.filter { $0.hasPrefix(model.stem) && $0.hasSuffix(".safetensors") }
        var others: [String] = []
        for name in [model.indexName, model.reportName].filter(names.contains) + shards {
            // What cannot be read is damaged, and made again.
            guard let found = record(of: name) else { continue }
            guard let difference = try difference(from: found) else { continue }
            guard replacing else {
                throw PreparationConflict(folder: folder, holds: difference, isReplaceable: true)
            }
            others.append(name)
        }
        for name in others { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
    }

    /// What a file says of its preparation; empty for a file that was not prepared, nil for one that cannot be read.
    private func record(of name: String) -> [String: String]? {
        let path = "\(folder)/\(name)"
        guard name.hasSuffix(".json") else {
            return (try? TensorFile(path: path)).map(\.metadata)
        }
        guard let data = FileManager.default.contents(atPath: path),
            let document = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { return nil }
        let record = document["metadata"] ?? document["preparation"]
        return record as? [String: String] ?? [:]
    }

    /// In what a record differs from what is to be prepared, in words; nil if in nothing.
    private func difference(from found: [String: String]) throws -> String? {
        guard let precision = found[PreparationReport.precisionKey] else {
            throw PreparationConflict(
                folder: folder, holds: "it holds weights that were not prepared",
                isReplaceable: false)
        }
        func differs(_ key: String) -> Bool { found[key] != identity[key] }
        if differs(PreparationReport.precisionKey) { return "it was prepared in \(precision)" }
        if differs(PreparationReport.sourceKey) { return "it was prepared from other weights" }
        if differs(PreparationReport.loraKey) {
            let lora = found[PreparationReport.loraKey] ?? ""
            return "it was prepared " + (lora.isEmpty ? "without a LoRA" : "with \(lora)")
        }
        return differs(PreparationReport.loraDigestKey)
            ? "it was prepared with another LoRA of that name" : nil
    }
}
