import Foundation
import Tensors

/// What a preparation made, as it is written beside the shards.
public struct PreparationReport: Sendable {
    /// One shard.
    struct Shard {
        /// SHA-256 of the file, in hexadecimal.
        let digest: String
        /// ‖stored - exact‖ / ‖exact‖ of each tensor that is stored with scales.
        let errors: [String: Double]
    }

    /// ‖stored - exact‖ / ‖exact‖ of each tensor that is stored with scales.
    public private(set) var errors: [String: Double] = [:]
    /// SHA-256 of each shard, in hexadecimal.
    public private(set) var digests: [String: String] = [:]
    /// The shard of each tensor, scales included.
    private var shardOfTensor: [String: String] = [:]
    private let identity: [String: String]
    private let model: PreparedModel

    /// What was merged; empty for nothing.
    private var lora: String { identity[Self.loraKey] ?? "" }

    /// Keys in the header of a shard: how large matrices are stored, the digest of what they were, what was merged and its
    /// digest.
    static let precisionKey = "prepared.precision"
    static let sourceKey = "prepared.source"
    static let loraKey = "prepared.lora"
    static let loraDigestKey = "prepared.lora_sha256"

    init(of model: PreparedModel, identity: [String: String]) {
        self.model = model
        self.identity = identity
    }

    mutating func add(_ shard: Shard, name: String, tensors: [String]) {
        errors.merge(shard.errors) { $1 }
        digests[name] = shard.digest
        for tensor in tensors {
            shardOfTensor[tensor] = name
            if shard.errors[tensor] != nil {
                shardOfTensor[tensor + PreparedCheckpoint.suffix] = name
            }
        }
    }

    /// Writes the report, then the index, each whole or not at all. Throws `SystemError`.
    func write(into folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        func write(_ value: some Encodable, as name: String) throws {
            let file = try PartialFile(path: "\(folder)/\(name)")
            try encoder.encode(value).withUnsafeBytes { try file.write($0, at: 0) }
            try file.commit()
        }
        try write(
            Document(
                lora: lora, preparation: identity, relativeError: errors, sha256: digests),
            as: model.reportName)
        try write(
            Index(metadata: identity, weightMap: shardOfTensor), as: model.indexName)
    }

    /// The digests that a report in a folder has; none where there is no report.
    static func digests(of model: PreparedModel, in folder: String) -> [String: String] {
        struct Digests: Decodable { let sha256: [String: String] }
        let data = FileManager.default.contents(atPath: join(folder, model.reportName))
        return data.flatMap { try? JSONDecoder().decode(Digests.self, from: $0) }?.sha256 ?? [:]
    }

    /// The first shard that is not what the report beside an index says; nil if all are, or the index is of no preparation. Reads
    /// every shard. Throws `SystemError`.
    public static func alteredShard(besides index: String) throws -> String? {
        let (folder, name) = (
            (index as NSString).deletingLastPathComponent, (index as NSString).lastPathComponent
        )
        let models = [PreparedModel.denoiser, .textEncoder]
        guard let model = models.first(where: { $0.indexName == name }) else { return nil }
        let digests = digests(of: model, in: folder)
        return try digests.sorted { $0.key < $1.key }.map { (join(folder, $0.key), $0.value) }
            .first { try WeightPreparation.digest(of: $0.0) != $0.1 }?.0
    }

    /// The report as JSON.
    private struct Document: Encodable {
        let lora: String
        let preparation: [String: String]
        let relativeError: [String: Double]
        let sha256: [String: String]

        enum CodingKeys: String, CodingKey {
            case lora, preparation, sha256
            case relativeError = "relative_error"
        }
    }

    /// The index as JSON, in the layout of published ones.
    private struct Index: Encodable {
        let metadata: [String: String]
        let weightMap: [String: String]

        enum CodingKeys: String, CodingKey {
            case metadata
            case weightMap = "weight_map"
        }
    }
}

// MARK: - In the header of a shard

extension PreparationReport {
    private static let errorKey = "prepared.error."

    /// Errors as a header keeps them.
    static func metadata(_ errors: [String: Double]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: errors.map { (errorKey + $0, String($1)) })
    }

    /// The errors that a header keeps.
    static func errors(_ metadata: [String: String]) -> [String: Double] {
        var errors: [String: Double] = [:]
        for (key, value) in metadata where key.hasPrefix(errorKey) {
            errors[String(key.dropFirst(errorKey.count))] = Double(value)
        }
        return errors
    }
}
