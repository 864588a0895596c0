import Crypto
import Glibc
import Tensors

/// Writes a model as a folder of shards that need no more work when they are loaded: a LoRA merged, large weights narrow.
///
/// One shard is in memory at a time. It appears whole or not at all, and one that is there from an earlier run of
/// the same preparation stays; the index comes last.
public struct WeightPreparation {
    /// What a run reports.
    public enum Event {
        /// A shard is there: its name, its number counted from 1 and the number of all, and whether it was there before.
        case shard(String, number: Int, count: Int, wasThere: Bool)
    }

    /// A LoRA that was merged into the source.
    public struct Adapter: Sendable {
        /// Its name and by what it was multiplied.
        public let description: String
        /// SHA-256 of its file, in hexadecimal.
        public let digest: String

        /// One so described.
        public init(description: String, digest: String) {
            self.description = description
            self.digest = digest
        }
    }

    /// The tensors of one shard.
    private struct Shard {
        let name: String
        let tensors: [TensorDescriptor]
    }

    private let source: any Checkpoint
    private let model: PreparedModel
    private let precision: PreparedPrecision
    private let folder: String
    private let shards: [Shard]
    private let identity: [String: String]

    /// Bytes of a shard, unless one tensor alone is larger.
    private static let shardBytes = 2 << 30

    /// A preparation of `source`, the weights of `model`, into `folder`, which exists. `lora` is what was merged, for the record.
    public init(
        of source: any Checkpoint, _ model: PreparedModel = .denoiser,
        as precision: PreparedPrecision, lora: Adapter?, into folder: String
    ) {
        self.source = source
        self.model = model
        self.precision = precision
        self.folder = folder
        let groups = Self.group(source.tensors, precision)
        shards = groups.enumerated().map { index, tensors in
            Shard(name: model.shardName(index + 1, of: groups.count), tensors: tensors)
        }
        identity = [
            "format": "pt", PreparationReport.precisionKey: precision.rawValue,
            PreparationReport.sourceKey: source.digest,
            PreparationReport.loraKey: lora?.description ?? "",
            PreparationReport.loraDigestKey: lora?.digest ?? "",
        ]
    }

    /// Takes another preparation of the model out of the folder, if it may be replaced. Throws `PreparationConflict` if it may not,
    /// or if weights are there that were not prepared.
    public func makeRoom(replacing: Bool) throws {
        try PreparationPlace(folder: folder, model: model, identity: identity)
            .clear(replacing: replacing)
    }

    /// Writes what is missing: shards, then the report, then the index.
    ///
    /// Throws `PreparationConflict` if the folder holds something else; also what reading and writing throw, and what `monitor`
    /// throws.
    public func run(monitor: (Event) throws -> Void = { _ in }) throws -> PreparationReport {
        try makeRoom(replacing: false)
        let known = PreparationReport.digests(of: model, in: folder)
        var report = PreparationReport(of: model, identity: identity)
        for (index, shard) in shards.enumerated() {
            let path = "\(folder)/\(shard.name)"
            let finished = try finished(shard, at: path, digest: known[shard.name])
            let part = try finished ?? write(shard, to: path)
            report.add(part, name: shard.name, tensors: shard.tensors.map(\.name))
            try monitor(
                .shard(
                    shard.name, number: index + 1, count: shards.count,
                    wasThere: finished != nil))
        }
        try report.write(into: folder)
        return report
    }
}

// MARK: - Shards

extension WeightPreparation {
    private static func group(
        _ tensors: [TensorDescriptor], _ precision: PreparedPrecision
    ) -> [[TensorDescriptor]] {
        var groups: [[TensorDescriptor]] = [[]]
        var bytes = 0
        for tensor in tensors {
            let size = stored(tensor, precision).reduce(0) { $0 + $1.byteCount }
            if bytes + size > shardBytes && !groups[groups.count - 1].isEmpty {
                groups.append([])
                bytes = 0
            }
            groups[groups.count - 1].append(tensor)
            bytes += size
        }
        return groups
    }

    /// What is stored of a tensor: itself as it is, or narrow and its scales.
    private static func stored(
        _ tensor: TensorDescriptor, _ precision: PreparedPrecision
    ) -> [TensorDescriptor] {
        guard PreparedPrecision.isLarge(tensor) else { return [tensor] }
        let narrow = TensorDescriptor(
            name: tensor.name, dataType: precision.dataType, shape: tensor.shape)
        guard precision.largest != nil else { return [narrow] }
        return [
            narrow,
            TensorDescriptor(
                name: tensor.name + PreparedCheckpoint.suffix, dataType: .float32,
                shape: [tensor.shape[0]]),
        ]
    }

    /// What an earlier run of the same preparation recorded in a shard; nil if there is none, or it is no longer what the report
    /// says, where there is one.
    private func finished(
        _ shard: Shard, at path: String, digest known: String?
    ) throws -> PreparationReport.Shard? {
        guard access(path, F_OK) == 0, let file = try? TensorFile(path: path) else { return nil }
        let expected = shard.tensors.flatMap { Self.stored($0, precision) }.map(\.name)
        guard Set(file.tensors.map(\.name)) == Set(expected),
            identity.allSatisfy({ file.metadata[$0.key] == $0.value })
        else { return nil }
        let digest = try Self.digest(of: path)
        guard known == nil || known == digest else { return nil }
        return PreparationReport.Shard(
            digest: digest, errors: PreparationReport.errors(file.metadata))
    }

    private func write(_ shard: Shard, to path: String) throws -> PreparationReport.Shard {
        // The errors stand in the header, in front of the elements, so a shard is made in memory.
        var scaled: [String: ScaledRows] = [:]
        for tensor in shard.tensors where isScaled(tensor) {
            scaled[tensor.name] = try ScaledRows(shape: tensor.shape, precision: precision) {
                try rows(of: tensor, $0)
            }
        }
        let errors = scaled.mapValues(\.relativeError)
        let writer = try TensorFileWriter(
            path: path, tensors: shard.tensors.flatMap { Self.stored($0, precision) },
            metadata: identity.merging(PreparationReport.metadata(errors)) { $1 })
        // In the order of the file, so that it is hashed while it is written.
        var hash = SHA256()
        hash.update(data: writer.header)
        for tensor in writer.tensors {
            try withBytes(of: tensor, scaled) {
                try writer.write($0, to: tensor.name)
                hash.update(bufferPointer: $0)
            }
        }
        try writer.commit()
        return PreparationReport.Shard(digest: hexadecimal(hash.finalize()), errors: errors)
    }

    private func isScaled(_ tensor: TensorDescriptor) -> Bool {
        precision.largest != nil && PreparedPrecision.isLarge(tensor)
    }

    /// Calls `body` with what is stored of a tensor of the shard: numbers, scales, or the tensor as it is or rounded to
    /// bfloat16.
    private func withBytes(
        of stored: TensorDescriptor, _ scaled: [String: ScaledRows],
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if let rows = scaled[stored.name] {
            try body(
                UnsafeRawBufferPointer(
                    start: rows.elements.start, count: stored.shape.elementCount))
        } else if stored.name.hasSuffix(PreparedCheckpoint.suffix),
            let rows = scaled[String(stored.name.dropLast(PreparedCheckpoint.suffix.count))]
        {
            try rows.scales.withUnsafeBytes(body)
        } else if source.descriptor(of: stored.name) == stored {
            try body(source.tensor(stored.name).bytes)
        } else {
            try withNarrowBytes(of: stored, body)
        }
    }

    /// Calls `body` with a tensor rounded to the type in which it is stored without scales.
    private func withNarrowBytes(
        of stored: TensorDescriptor, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let bytes = HeapBytes(count: stored.byteCount)
        let rowBytes = stored.byteCount / stored.shape[0]
        try rows(of: stored) { range, floats in
            narrow(floats, to: stored.dataType, into: bytes.start + range.lowerBound * rowBytes)
        }
        try body(UnsafeRawBufferPointer(start: bytes.start, count: stored.byteCount))
    }

    /// A tensor's rows in float32, merged before they are rounded where there is a LoRA.
    private func rows(
        of tensor: TensorDescriptor,
        _ body: @Sendable (Range<Int>, UnsafeBufferPointer<Float>) -> Void
    ) throws {
        if let merged = source as? MergedCheckpoint {
            try merged.withRows(of: tensor.name, body)
        } else {
            let view = try source.tensor(tensor.name)
            withFloatRows(view, body)
            source.advise(.dontNeed, tensor.name)
        }
    }

    /// SHA-256 of a file, in hexadecimal.
    static func digest(of path: String) throws -> String {
        let file = try MappedFile(path: path)
        return hexadecimal(SHA256.hash(data: file.bytes))
    }
}
