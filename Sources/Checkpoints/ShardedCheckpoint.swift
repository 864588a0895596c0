import Tensors

/// Safetensors files beside an index that says which tensor is in which: `*.safetensors.index.json`.
public final class ShardedCheckpoint: Checkpoint {
    /// The index's path as it was given.
    public let path: String
    /// All tensors, shard by shard.
    public let tensors: [TensorDescriptor]

    private let shards: [TensorFile]
    private let shardOfTensor: [String: Int]
    private let index: MappedFile

    /// Longest index that is read; the real one has 0.1 MB.
    private static let indexLimit = 4 << 20

    /// Opens the index and every shard, and makes sure that they agree.
    ///
    /// Throws `SystemError` if the index cannot be read, `TensorFileError` if a file is malformed or a
    /// shard is missing, if the index names a tensor that its shard lacks, or a shard has one that
    /// the index lacks.
    public init(index path: String) throws {
        self.path = path
        index = try MappedFile(path: path)
        let weightMap = try Self.parse(index)
        let names = Set(weightMap.values).sorted()
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        shards = try names.map { name throws(TensorFileError) in
            do {
                return try TensorFile(path: (folder + [Substring(name)]).joined(separator: "/"))
            } catch {
                throw TensorFileError(path: path, reason: "\(error)")
            }
        }
        let number = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
        shardOfTensor = weightMap.compactMapValues { number[$0] }
        tensors = shards.flatMap(\.tensors)
        try checkAgreement()
    }

    /// The shard of each tensor, as the index has it.
    private static func parse(_ index: MappedFile) throws -> [String: String] {
        try scanJSON(index, limit: indexLimit) { scanner in
            var weightMap: [String: String] = [:]
            try scanner.object { scanner, key in
                guard key == "weight_map" else {
                    _ = try scanner.value()
                    return
                }
                try scanner.object { scanner, tensor in
                    let shard = try scanner.string()
                    guard isFileName(shard) else {
                        throw scanner.failure("'\(printable(shard))' is no name of a shard")
                    }
                    guard weightMap.updateValue(shard, forKey: tensor) == nil else {
                        throw scanner.failure("tensor '\(printable(tensor))' is listed twice")
                    }
                }
            }
            guard !weightMap.isEmpty else { throw scanner.failure("there is no 'weight_map'") }
            return weightMap
        }
    }

    /// Whether a name stays in its folder, and in one line.
    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && printable(name) == name
            && !name.utf8.contains(UInt8(ascii: "/"))
    }

    private func checkAgreement() throws(TensorFileError) {
        for (name, number) in shardOfTensor.sorted(by: { $0.key < $1.key })
        where !shards[number].contains(name) {
            throw TensorFileError(
                path: path, tensor: name, reason: "is not in its shard '\(shards[number].path)'")
        }
        for (number, shard) in shards.enumerated() {
            for tensor in shard.tensors where shardOfTensor[tensor.name] != number {
                throw TensorFileError(
                    path: path, tensor: tensor.name,
                    reason: "is in '\(shard.path)', where the index does not list it")
            }
        }
    }

    /// Type and shape of a tensor; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? {
        shardOfTensor[name].flatMap { shards[$0].descriptor(of: name) }
    }

    /// The tensor of this name, in place; throws `TensorFileError` if there is none.
    public func tensor(_ name: String) throws -> TensorView {
        guard let number = shardOfTensor[name] else {
            throw TensorFileError(path: path, tensor: name, reason: "is missing")
        }
        return try shards[number].tensor(name)
    }

    /// Tells the kernel how a tensor's bytes will be used next.
    public func advise(_ advice: MappedFile.Advice, _ name: String) {
        if let number = shardOfTensor[name] { shards[number].advise(advice, name) }
    }

    /// Adds the index, and each shard's header and size.
    public func hash(into digest: inout CheckpointDigest) {
        digest.add(index.bytes)
        for shard in shards { shard.hash(into: &digest) }
    }
}
