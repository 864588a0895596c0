import Glibc
import Tensors

/// Reads a tensor stream block by block, waiting for each while the stream grows if asked to.
///
/// Waiting is one blocked system call, woken by the kernel when a block appears, when the stream
/// ends, when its writer goes or dies, and when the reader is cancelled. A reader is used by one
/// thread at a time.
public final class StreamReader {
    /// What to do about a block that is not there.
    public enum Following: Sendable {
        /// Nothing: the blocks must be there when the stream is opened.
        case no
        /// Wait while somebody is writing it; nobody writing it is an error.
        case running
        /// Wait for somebody to begin writing, or even the stream; after that like `running`.
        ///
        /// For stages that are started together. If the writer never begins, only cancelling helps.
        case starting
        /// Wait whatever happens to writers: something that restarts them will cancel this reader.
        case restarting
    }

    /// What the stream is.
    public let description: StreamDescription
    /// The folder's path as it was given.
    public var path: String { folder.path }

    let folder: StreamFolder
    let following: Following
    /// The blocks that this reader will ask for.
    let needs: Range<Int>
    let cancellation: Cancellation?
    /// Nil in a stream that no writer of ours has touched.
    private(set) var lock: StreamLock?
    private let noteWaiting: (String) throws -> Void
    private var watch: FolderWatch?
    private var hasSeenWriter = false
    private var version: FileVersion?
    /// The digests that were known when the first block was asked for: all, in a finished stream.
    private var digests: BlockDigests?
    /// What was consumed by this reader.
    var consumption = Consumption()

    /// Opens a stream for reading.
    ///
    /// `needs` are the blocks that will be asked for; while the reader lives, other readers do not
    /// consume them. `noteWaiting` is told what is waited for while nobody writes it, and may throw to give up; it is told
    /// once for each thing, as a wait takes no processor. Without following, throws `ArtifactError` if one of them is missing, or if the
    /// whole stream was asked for and is unfinished. Throws `ArtifactError` too if it is a stream
    /// of another kind, and `CancellationError`.
    public init(
        path: String, kind: ArtifactKind, following: Following = .no, needs: Range<Int>? = nil,
        cancellation: Cancellation? = nil, noteWaiting: @escaping (String) throws -> Void = { _ in }
    ) throws {
        folder = StreamFolder(path: path)
        self.following = following
        self.noteWaiting = noteWaiting
        self.needs = needs ?? 0..<StreamLock.blockLimit
        self.cancellation = cancellation
        if following == .starting || following == .restarting {
            try Self.awaitDescription(in: folder, cancellation, noteWaiting)
        }
        version = FileVersion(of: folder.path(StreamFolder.descriptionName))
        description = try folder.description()
        guard description.kind == kind else {
            throw ArtifactError(
                "read", path, "is a '\(description.kind)' stream, expected '\(kind)'")
        }
        try takeLock()
        if following == .no {
            try checkAllIsThere(needs)
        } else {
            watch = try FolderWatch(folder: path)
        }
    }

    /// Whether somebody is writing any block now; if not, a following reader may have to wait for that.
    public var isBeingWritten: Bool {
        get throws {
            try takeLock()
            return try lock?.isClaimed(0..<StreamLock.blockLimit) ?? false
        }
    }

    /// A block, mapped; nil past the end of a stream that has ended.
    ///
    /// Waits for it when following. Throws `ArtifactError` if it is missing and nobody is writing
    /// it, if it was consumed, if its bytes are not those that were written, or if the stream was replaced by
    /// another; `TensorFileError` if it is damaged or not like the description; `CancellationError`.
    public func block(_ index: Int) throws -> TensorFile? {
        precondition(needs.contains(index))
        let name = StreamFolder.name(ofBlock: index)
        return try wait(for: name, writtenBy: writers(of: index)) { isAlive in
            if let file = try folder.blockIfThere(index, like: description) {
                try checkDigest(of: index)
                return .some(file)
            }
            guard let end = try end(isAlive: isAlive, at: index) else {
                try checkNotConsumed(index)
                return nil
            }
            guard index < end.blocks else { return .some(nil) }
            try checkNotConsumed(index)
            throw ArtifactError(
                "read", folder.path(name), "the stream has ended, but it is missing")
        }
    }

    /// What the decoder must see before block 0; nil if the stream has no lead. Waits for it when
    /// following. Throws as `block(_:)` does.
    public func lead() throws -> TensorFile? {
        guard !description.leadTensors.isEmpty else { return nil }
        return try wait(for: StreamFolder.leadName, writtenBy: writers(of: 0)) { _ in
            if let file = try folder.leadIfThere(like: description) { return file }
            guard try folder.end() == nil, try folder.blocks().isEmpty else {
                throw ArtifactError("read", folder.path(StreamFolder.leadName), "it is missing")
            }
            return nil
        }
    }

    /// What the finished stream holds. Waits for its end when following. Throws as `block(_:)` does.
    public func end() throws -> StreamEnd {
        let blocks = description.blocks ?? StreamLock.blockLimit - 1
        return try wait(for: StreamFolder.endName, writtenBy: 0..<max(1, blocks)) { isAlive in
            try end(isAlive: isAlive, at: blocks)
        }
    }
}

extension StreamReader {
    /// The blocks of which a writer has to live for this one, or the end, to appear.
    private func writers(of index: Int) -> Range<Int> {
        guard let blocks = description.blocks, index >= blocks else { return index..<index + 1 }
        return 0..<max(1, blocks)
    }

    /// The end, if the stream has one: as a file, or, where nobody is going to write that, as parts
    /// that cover every block.
    private func end(isAlive: Bool, at index: Int) throws -> StreamEnd? {
        if let end = try folder.end() { return end }
        let mayBeCovered = !isAlive || index >= description.blocks ?? .max
        return mayBeCovered ? try folder.endOfParts(blocks: description.blocks) : nil
    }

    /// Throws `ArtifactError` if a block's bytes are not those that were written, as far as that is known: blocks that
    /// came since the first was read are as young as their digests, and are not read twice.
    private func checkDigest(of index: Int) throws {
        let known = try digests ?? BlockDigests(of: folder)
        digests = known
        guard let digest = known[index] else { return }
        let path = folder.path(StreamFolder.name(ofBlock: index))
        guard try FileDigest.sha256(of: path) == digest else {
            throw ArtifactError("read", path, "damaged: its bytes are not those that were written")
        }
    }

    private func checkNotConsumed(_ index: Int) throws {
        guard try index >= folder.consumedBefore() else {
            let path = folder.path(StreamFolder.name(ofBlock: index))
            throw ArtifactError("read", path, "it was consumed, no reader or restart needed it")
        }
    }

    /// Waits until `look` finds something. It is told whether somebody was writing the blocks just
    /// before it looks, so that what a writer left at last is not missed.
    private func wait<Found>(
        for name: String, writtenBy blocks: Range<Int>, _ look: (Bool) throws -> Found?
    ) throws -> Found {
        // The kernel tells of a dead writer's file a moment before it drops the locks on it, so
        // that after such news the lock is looked at again a few times, each after twice the time.
        let settling: [Int32] = (0..<13).map { 1 << $0 }
        var pauses = settling[settling.endIndex...]
        var isNoted = false
        while true {
            try cancellation?.check()
            try takeLock()
            let isAlive = try lock?.isClaimed(blocks) ?? false
            let found = try look(isAlive)
            try checkNotReplaced()
            if let found { return found }
            if isAlive { hasSeenWriter = true }
            guard let watch, isAlive || isPatient else {
                throw try absence(of: name, writtenBy: blocks)
            }
            if !isAlive, !isNoted {
                try noteWaiting("waiting for '\(name)' of '\(path)', which nobody is writing yet")
                isNoted = true
            }
            switch try watch.wait(milliseconds: pauses.popFirst(), cancellation: cancellation) {
            case .writerLeft:
                hasSeenWriter = true
                pauses = settling[...]
            case .files, .timeout: break
            }
        }
    }

    /// Whether nobody writing is no reason to give up.
    private var isPatient: Bool {
        switch following {
        case .no, .running: false
        case .starting: !hasSeenWriter
        case .restarting: true
        }
    }

    /// Why something that nobody writes is not there.
    private func absence(of name: String, writtenBy blocks: Range<Int>) throws -> ArtifactError {
        let path = folder.path(name)
        if following == .no { return ArtifactError("read", path, "it is missing") }
        if let failure = try folder.failures(in: blocks).first {
            return ArtifactError("follow", folder.path, "its writer failed: \(failure)")
        }
        return ArtifactError(
            "follow", folder.path,
            hasSeenWriter
                ? "its writer died or stopped before '\(name)'"
                : "'\(name)' is missing and nobody is writing it")
    }

    /// Opens the lock file once there is one, and says which blocks are needed.
    private func takeLock() throws {
        guard lock == nil, let lock = StreamLock(reading: folder) else { return }
        try lock.need(needs)
        self.lock = lock
    }

    /// Throws `ArtifactError` if another stream has taken the place of the one that was opened.
    private func checkNotReplaced() throws {
        let present = FileVersion(of: folder.path(StreamFolder.descriptionName))
        guard present != version else { return }
        version = present
        if let difference = try folder.description().difference(from: description) {
            throw ArtifactError("read", path, "it was replaced while being read: \(difference)")
        }
    }

    /// Waits for a stream's first file.
    private static func awaitDescription(
        in folder: StreamFolder, _ cancellation: Cancellation?,
        _ noteWaiting: (String) throws -> Void
    ) throws {
        let file = folder.path(StreamFolder.descriptionName)
        guard FileIdentity(path: file) == nil else { return }
        try noteWaiting("waiting for somebody to begin '\(folder.path)'")
        while FileIdentity(path: file) == nil {
            let watch =
                FileIdentity(path: folder.path) == nil
                ? try FolderWatch(parentOf: folder.path) : try FolderWatch(folder: folder.path)
            // It may have come before the watch was set.
            guard FileIdentity(path: file) == nil else { return }
            if watch.isOfParent, FileIdentity(path: folder.path) != nil { continue }
            _ = try watch.wait(cancellation: cancellation)
        }
    }

    /// Throws `ArtifactError` unless a stream that nobody follows has what is needed of it.
    private func checkAllIsThere(_ needs: Range<Int>?) throws {
        let there = try folder.blocks()
        var wanted = needs ?? 0..<0
        if needs == nil {
            let end = try folder.end() ?? folder.endOfParts(blocks: description.blocks)
            guard let end else {
                let all = description.blocks.map { " of \($0)" } ?? ""
                throw ArtifactError(
                    "read", path, "it is unfinished: \(there.count)\(all) blocks are there")
            }
            wanted = 0..<end.blocks
        }
        let present = Set(there)
        guard let missing = wanted.first(where: { !present.contains($0) }) else { return }
        try checkNotConsumed(missing)
        throw ArtifactError(
            "read", folder.path(StreamFolder.name(ofBlock: missing)), "it is missing")
    }
}

/// What tells a file from another one under the same name, even where it lies in the same place on the disk.
private struct FileVersion: Equatable {
    let identity: FileIdentity
    let seconds: Int
    let nanoseconds: Int

    /// The version of what is at a path; nil if nothing is.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        identity = FileIdentity(status)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
