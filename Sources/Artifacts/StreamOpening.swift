import Glibc
import Tensors

/// What a writer does before its first block: it compares what lies in the folder with what it is
/// to write, and removes or continues it.
struct StreamOpening {
    let folder: StreamFolder
    let lock: StreamLock
    let description: StreamDescription
    let range: Range<Int>
    let part: Range<Int>?
    let overwrite: Bool

    /// Looks at the folder while no other writer does; returns which blocks of the range are whole,
    /// what is known of their digests, and the journal that goes on.
    func run() throws -> ([Bool], BlockDigests, DigestJournal) {
        try lock.withDoor {
            let isNew = try settleDifferences()
            guard try lock.claim(range) else {
                throw ArtifactError(
                    "write", folder.path,
                    "another process is writing \(part.map { "some of the blocks \($0)" } ?? "it")")
            }
            if isNew {
                try CanonicalJSON.write(
                    description, to: folder.path(StreamFolder.descriptionName))
            }
            try remove(StreamFolder.name(ofFailure: part))
            let isPresent = try survey()
            if isPresent.contains(false) { try reopen(isPresent) }
            let journal = folder.path(BlockDigests.name(of: part))
            return (isPresent, try BlockDigests(of: folder), try DigestJournal(path: journal))
        }
    }

    /// Makes sure that nothing but this very stream is there; true if there is nothing yet.
    private func settleDifferences() throws -> Bool {
        guard let difference = try difference() else { return false }
        guard !difference.isEmpty else { return true }
        guard overwrite else { throw ArtifactError("continue", folder.path, difference) }
        guard try !lock.isClaimed(0..<StreamLock.blockLimit) else {
            throw ArtifactError(
                "overwrite", folder.path, "another process is writing it, and \(difference)")
        }
        try removeAll()
        return true
    }

    /// Why what is there cannot be continued; empty if there is nothing, nil if it can.
    private func difference() throws -> String? {
        do {
            if let old = try folder.descriptionIfThere() {
                return description.difference(from: old)
            }
        } catch let error as ArtifactError where overwrite {
            return error.reason
        }
        guard try folder.blocks().isEmpty else {
            return "it has blocks but no '\(StreamFolder.descriptionName)'"
        }
        // A stream among a person's files is seldom meant.
        let other = try folder.names().first { name in
            let ends = [StreamFolder.descriptionName, StreamFolder.endName]
            return !name.hasPrefix(".") && !Self.belongs(name)
                && !ends.contains { name.hasPrefix($0) }
        }
        guard !overwrite, let other else { return "" }
        return "it is no stream and has other files, as '\(other)'"
    }

    /// Removes every file of a stream but its description, which stays until it is replaced: a
    /// kill meanwhile leaves an old stream with fewer blocks. The end goes first.
    private func removeAll() throws {
        try remove(StreamFolder.endName)
        for name in try folder.names().reversed() where Self.belongs(name) {
            try remove(name)
        }
    }

    /// Whether a file of this name is a stream's own.
    private static func belongs(_ name: String) -> Bool {
        let suffix = ".partial"
        let name = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
        return StreamFolder.index(fromName: name) != nil
            || [StreamFolder.leadName, StreamFolder.watermarkName].contains(name)
            || name.hasSuffix(".sha256")
            || (name.hasSuffix(".json") && (name.hasPrefix("part-") || name.hasPrefix("failed")))
    }

    /// Which blocks of the range are whole, or were before they were consumed.
    ///
    /// Throws `ArtifactError` at a damaged one, or removes it if it may be replaced.
    private func survey() throws -> [Bool] {
        let watermark = try folder.consumedBefore()
        let there = Set(try folder.blocks())
        return try range.map { index in
            guard index >= watermark else { return true }
            guard there.contains(index) else { return false }
            do {
                return try folder.blockIfThere(index, like: description) != nil
            } catch let error as TensorFileError {
                guard overwrite else {
                    throw ArtifactError(
                        "continue", folder.path,
                        "a block of it is damaged (\(error))")
                }
                try remove(StreamFolder.name(ofBlock: index))
                return false
            }
        }
    }

    /// Takes back the word that the stream, or a part, is complete: blocks of it are to be made again.
    private func reopen(_ isPresent: [Bool]) throws {
        try remove(StreamFolder.endName)
        for part in try folder.parts().compactMap(\.range) {
            let isMissing = zip(range, isPresent).contains { part.contains($0) && !$1 }
            if isMissing { try remove(StreamFolder.name(ofPart: part) + ".json") }
        }
    }

    private func remove(_ name: String) throws {
        let path = folder.path(name)
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
    }
}
