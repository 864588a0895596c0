import Glibc
import Tensors

/// Writes a tensor stream, or a range of its blocks, going on where an earlier writer stopped.
///
/// While it lives it holds a lock on its blocks, so that nobody else writes them and followers
/// notice when it dies. It ends with `finish`, with `fail`, or by going away.
public final class StreamWriter {
    /// What the stream is.
    public let description: StreamDescription
    /// The blocks that this writer answers for.
    public let range: Range<Int>

    let folder: StreamFolder
    /// The range if it was asked for: then a part is left in place of an end.
    private let part: Range<Int>?
    /// Nil when the writing has ended.
    private var lock: StreamLock?
    private let journal: DigestJournal
    private var digests: BlockDigests
    /// Whether each block of the range is whole, or was before it was consumed.
    private var isPresent: [Bool]

    /// Opens a stream for writing, creating it, or continuing it if it is the same one.
    ///
    /// `description.blocks` must be known. Without `overwrite`, throws `ArtifactError` that names
    /// the difference if the folder holds another stream, and one that names the block if one of
    /// its files is damaged; with it, another stream is removed and damaged blocks are made again.
    /// Throws `ArtifactError` if another writer is at one of the blocks, `SystemError` if the
    /// folder cannot be written.
    public init(
        path: String, description: StreamDescription, range part: Range<Int>? = nil,
        overwrite: Bool = false
    ) throws {
        guard let blocks = description.blocks else {
            preconditionFailure("a writer knows how many blocks there will be")
        }
        let range = part ?? 0..<blocks
        guard range.lowerBound >= 0, range.upperBound <= blocks else {
            throw ArtifactError(
                "write", path, "blocks \(range) are not among its \(blocks) blocks")
        }
        self.description = description
        self.range = range
        self.part = part
        folder = StreamFolder(path: path)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw SystemError("create", path) }
        let lock = try StreamLock(writing: folder)
        self.lock = lock
        let opening = StreamOpening(
            folder: folder, lock: lock, description: description, range: range, part: part,
            overwrite: overwrite)
        (isPresent, digests, journal) = try opening.run()
    }

    /// The runs of blocks of the range that are still to be written, in order.
    public var missing: [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, isPresent) in zip(range, isPresent) where !isPresent {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    /// The first block that is still to be written; the end of the range if none is.
    public var next: Int {
        isPresent.firstIndex(of: false).map { range.lowerBound + $0 } ?? range.upperBound
    }

    /// Whether a block is whole, or was before it was consumed. Traps outside the range.
    public func contains(_ index: Int) -> Bool { isPresent[index - range.lowerBound] }

    /// A block that is whole, for going on behind it; throws `ArtifactError` if it was consumed.
    public func block(_ index: Int) throws -> TensorFile {
        guard let block = try folder.blockIfThere(index, like: description) else {
            throw ArtifactError(
                "read", folder.path(StreamFolder.name(ofBlock: index)), "it is missing")
        }
        return block
    }
}

extension StreamWriter {
    /// Writes a block that `fill` fills; it appears whole or not at all.
    ///
    /// If the block is there already it is only compared: throws `ArtifactError` if it comes out
    /// differently. Traps outside the range, and when the writing has ended. Throws `SystemError`, and what `fill` throws.
    public func write(_ index: Int, _ fill: (TensorFileWriter) throws -> Void) throws {
        precondition(range.contains(index) && lock != nil)
        let name = StreamFolder.name(ofBlock: index)
        let (file, digest) = try begin(
            name, description.tensors(ofBlock: index), ["index": String(index)], fill)
        if contains(index) {
            try check(name, digest, is: digests[index])
            return
        }
        if digests[index] != digest { try journal.append(BlockDigests.line(index, digest)) }
        try file.commit()
        digests[index] = digest
        isPresent[index - range.lowerBound] = true
    }

    /// Writes a block of tensors that lie somewhere already, as `write(_:_:)` does.
    public func write(_ index: Int, _ tensors: [TensorView]) throws {
        try write(index) { file in
            for tensor in tensors { try file.write(tensor.bytes, to: tensor.name) }
        }
    }

    /// Writes the lead, which comes before block 0. If it is there already it is only compared.
    ///
    /// Traps if the description has none. Throws as `write(_:_:)` does.
    public func writeLead(_ fill: (TensorFileWriter) throws -> Void) throws {
        precondition(!description.leadTensors.isEmpty)
        let name = StreamFolder.leadName
        let (file, digest) = try begin(name, description.leadTensors, [:], fill)
        if try folder.leadIfThere(like: description) != nil {
            try check(name, digest, is: nil)
        } else {
            try file.commit()
        }
    }

    /// Whether the lead is there, or there is none to write.
    public var hasLead: Bool {
        get throws {
            try description.leadTensors.isEmpty
                || folder.leadIfThere(like: description) != nil
        }
    }

    /// Fills a file that has no name yet, and takes its digest.
    private func begin(
        _ name: String, _ tensors: [TensorDescriptor], _ extra: [String: String],
        _ fill: (TensorFileWriter) throws -> Void
    ) throws -> (TensorFileWriter, String) {
        let file = try TensorFileWriter(
            path: folder.path(name), tensors: tensors,
            metadata: try ArtifactHeader.metadata(
                of: description.kind, provenance: nil, adding: extra))
        try fill(file)
        return (file, FileDigest.sha256(of: try file.contents()))
    }

    /// Throws `ArtifactError` unless what was computed is what is on disk.
    private func check(_ name: String, _ computed: String, is known: String?) throws {
        let path = folder.path(name)
        let onDisk: String
        do {
            onDisk = try known ?? FileDigest.sha256(of: path)
        } catch let error as SystemError where error.code == ENOENT {
            // It was consumed before anybody wrote its digest down: nothing to compare with.
            return
        }
        guard onDisk == computed else {
            throw ArtifactError(
                "continue", folder.path, "'\(name)' on disk is not what comes out now")
        }
    }
}

extension StreamWriter {
    /// Ends the writing: leaves `end.json`, or a part, and whichever part completes the stream
    /// leaves the end too. `inputs` are the digests of inputs that were followed. Again does nothing.
    ///
    /// Throws `ArtifactError` if a block or the lead is missing, or if parts were made from
    /// different inputs.
    public func finish(inputs: [Provenance.Input] = []) throws {
        guard let lock else { return }
        guard missing.isEmpty else {
            throw ArtifactError("finish", folder.path, "block \(next) was not written")
        }
        guard try hasLead else {
            throw ArtifactError("finish", folder.path, "'\(StreamFolder.leadName)' was not written")
        }
        try completeDigests()
        let inputs = inputs.isEmpty ? nil : inputs
        try lock.withDoor {
            if let lines = digests.lines(range) {
                let name = BlockDigests.name(of: part)
                try DigestJournal.replace(folder.path(name), with: lines)
            }
            if let part {
                try finish(part: part, inputs: inputs)
            } else {
                try finish(
                    StreamEnd(
                        blocks: range.count, frames: description.frames(in: range),
                        sha256: digests.overall(range), inputs: inputs))
            }
        }
        self.lock = nil
    }

    /// Takes the digests that a kill kept from being written down.
    private func completeDigests() throws {
        for index in range where digests[index] == nil {
            let path = folder.path(StreamFolder.name(ofBlock: index))
            do {
                digests[index] = try FileDigest.sha256(of: path)
            } catch let error as SystemError where error.code == ENOENT {
                continue
            }
        }
    }

    private func finish(part: Range<Int>, inputs: [Provenance.Input]?) throws {
        let document = StreamPart(
            first: part.lowerBound, end: part.upperBound, frames: description.frames(in: part),
            sha256: digests.overall(part), inputs: inputs)
        let path = folder.path(StreamFolder.name(ofPart: part) + ".json")
        // What is there was left by an earlier writer that finished the very same blocks.
        if try CanonicalJSON.read(StreamPart.self, from: path) == nil {
            try CanonicalJSON.write(document, to: path)
        }
        guard let end = try folder.endOfParts(blocks: description.blocks) else { return }
        if let lines = try BlockDigests(of: folder).lines(0..<end.blocks) {
            try DigestJournal.replace(folder.path(BlockDigests.name(of: nil)), with: lines)
        }
        try finish(end)
    }

    private func finish(_ end: StreamEnd) throws {
        guard try folder.end() == nil else { return }
        try CanonicalJSON.write(end, to: folder.path(StreamFolder.endName))
    }

    /// Ends the writing without having finished: leaves word for followers of what went wrong, in
    /// one line. After `finish` it does nothing.
    public func fail(_ error: String) {
        guard lock != nil else { return }
        let failure = StreamFailure(
            first: range.lowerBound, end: range.upperBound, error: error)
        // Whatever keeps this from being written, the failure at hand is the one to report.
        try? CanonicalJSON.write(failure, to: folder.path(StreamFolder.name(ofFailure: part)))
        lock = nil
    }
}
