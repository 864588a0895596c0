import Glibc
import Tensors

extension StreamReader {
    /// What a reader has consumed so far.
    struct Consumption {
        /// Blocks before this one are told to be gone; nil before the first look at the folder.
        var before: Int?
        /// Blocks before it that somebody still needs.
        var kept: [Int] = []
    }

    /// Says that no block up to `index` will be asked for again, but for the last `keeping` of them,
    /// which a restart of this reader would ask for: others may consume them.
    public func release(through index: Int, keeping: Int = 0) throws {
        let end = min(needs.upperBound, max(needs.lowerBound, index + 1 - keeping))
        try lock?.release(needs.lowerBound..<end)
    }

    /// Deletes blocks up to `index` that nobody needs any more: not the last `keeping` of them, not
    /// what the stream's writer reads again when it is restarted before the end, and not what
    /// another living reader will ask for. What is kept now is looked at again at the next call.
    ///
    /// Only a reader of the whole stream may consume it. Throws `ArtifactError`, `SystemError`.
    public func consume(through index: Int, keeping: Int = 0) throws {
        guard needs.lowerBound == 0 else {
            throw ArtifactError("consume", path, "this reader does not read it from its beginning")
        }
        try release(through: index, keeping: keeping)
        let restart = try folder.end() == nil ? description.restart : nil
        let before = max(0, index + 1 - max(keeping, restart?.last ?? 0))
        let start = try beginConsumption()
        if before > start {
            guard try raiseWatermark(to: before) else { return }
            consumption.before = before
        }
        let candidates = consumption.kept + Array(start..<max(start, before))
        consumption.kept = []
        for block in candidates {
            if try block < restart?.first ?? 0 || isNeeded(block) {
                consumption.kept.append(block)
            } else {
                try remove(block)
            }
        }
    }

    /// The block before which all was consumed; at first, what an earlier reader has left is noted.
    private func beginConsumption() throws -> Int {
        if let before = consumption.before { return before }
        let before = try folder.consumedBefore()
        consumption.kept = try folder.blocks().filter { $0 < before }
        consumption.before = before
        return before
    }

    private func isNeeded(_ block: Int) throws -> Bool {
        try lock?.isNeeded(block..<block + 1) ?? false
    }

    private func remove(_ block: Int) throws {
        let path = folder.path(StreamFolder.name(ofBlock: block))
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
    }

    /// Writes down that blocks before `index` may be gone, before they go; false if another reader
    /// is at it, which is no harm: the next call tries again.
    private func raiseWatermark(to index: Int) throws -> Bool {
        let path = folder.path(StreamFolder.watermarkName)
        guard let file = try unlessBusy({ try PartialFile(path: path) }) else { return false }
        // Another reader may have come further; while the partial file is locked, none writes.
        let before = max(index, try folder.consumedBefore())
        try CanonicalJSON.write(StreamWatermark(before: before), into: file)
        return true
    }
}

/// What `body` returns; nil if it fails because somebody else is writing the same file.
private func unlessBusy<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
        return try body()
    } catch let error as SystemError where error.code == EBUSY {
        return nil
    }
}

extension StreamReader {
    /// Throws `ArtifactError` unless blocks have these extents; nil accepts any. The axes are those
    /// of `StreamDescription.blockShape`.
    public func expect(_ extents: [Int?], source: String = "the model needs") throws {
        let names =
            description.kind == .latents
            ? ["channels", "latent frames", "rows", "columns"]
            : ["frames", "rows", "columns", "colours"]
        for (axis, wanted) in extents.enumerated() {
            let extent = description.blockShape[axis]
            guard let wanted, wanted != extent else { continue }
            throw ArtifactError(
                "read", path, "its blocks have \(extent) \(names[axis]), \(source) \(wanted)")
        }
    }

    /// Throws `ArtifactError` if latents are known to be at another step than this one of so many.
    public func expect(stepsDone: Int, of steps: Int) throws {
        let actual = (description.stepsDone ?? stepsDone, description.steps ?? steps)
        guard actual == (stepsDone, steps) else {
            throw ArtifactError(
                "read", path,
                "its latents are after step \(actual.0) of \(actual.1), expected \(stepsDone) of \(steps)"
            )
        }
    }
}

extension StreamFolder {
    /// Checks a stream's files against each other: every block whole, and as it was when its digest
    /// was taken. Reads all bytes.
    ///
    /// Throws `ArtifactError` or `TensorFileError` naming the first file that is not right.
    public func check() throws {
        let description = try description()
        let end = try end() ?? endOfParts(blocks: description.blocks)
        let watermark = try consumedBefore()
        let there = try blocks()
        let present = Set(there)
        let missing = (watermark..<max(watermark, end?.blocks ?? 0)).first { !present.contains($0) }
        if let missing {
            throw ArtifactError("read", path(Self.name(ofBlock: missing)), "it is missing")
        }
        var digests = try BlockDigests(of: self)
        for index in there {
            let file = path(Self.name(ofBlock: index))
            _ = try blockIfThere(index, like: description)
            let digest = try FileDigest.sha256(of: file)
            guard digests[index] ?? digest == digest else {
                throw ArtifactError(
                    "read", file, "damaged: its bytes are not those that were written")
            }
            digests[index] = digest
        }
        if let end, let known = end.sha256, let found = digests.overall(0..<end.blocks),
            known != found
        {
            throw ArtifactError("read", path(Self.endName), "its digest is not that of the blocks")
        }
        if try leadIfThere(like: description) == nil, !description.leadTensors.isEmpty {
            throw ArtifactError("read", path(Self.leadName), "it is missing")
        }
    }
}
