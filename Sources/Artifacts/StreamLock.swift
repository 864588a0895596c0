import Glibc
import Tensors

/// Who is writing which blocks and who still needs which, as byte-range locks on a stream's `.lock`.
///
/// Byte k stands for writing block k, a byte far behind for needing block k. The locks belong to
/// the open file, not to the process (`F_OFD_SETLK`, see `fcntl_locking(2)`): two writers in one
/// process exclude each other too, and the kernel drops them when the holder dies, however it dies.
final class StreamLock {
    /// Indices of blocks are below this.
    static let blockLimit = 1 << 40
    /// The first byte that stands for needing a block.
    private static let needs = 1 << 41
    /// The byte that is held while a writer looks around and sets itself up.
    private static let door = 1 << 43

    // The numbers of Linux's <asm-generic/fcntl.h>, which the Glibc module leaves out.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37
    private static let setLockWaiting: Int32 = 38

    private let path: String
    private let descriptor: Int32

    /// Opens the lock file of a writer, creating it. Throws `SystemError`.
    init(writing folder: StreamFolder) throws(SystemError) {
        path = folder.path(StreamFolder.lockName)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError("create", path) }
    }

    /// Opens the lock file of a reader; nil if there is none that can be opened, as in a stream made
    /// elsewhere: then nobody is writing it.
    ///
    /// A reader opens it for reading only, so that closing it for writing is a sign that a writer
    /// has gone.
    init?(reading folder: StreamFolder) {
        path = folder.path(StreamFolder.lockName)
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Takes the blocks for writing; false if somebody else writes one of them.
    func claim(_ blocks: Range<Int>) throws -> Bool {
        try set(Int32(F_WRLCK), blocks, waiting: false)
    }

    /// Whether somebody else is writing one of the blocks now.
    func isClaimed(_ blocks: Range<Int>) throws -> Bool {
        try conflict(Int32(F_RDLCK), blocks)
    }

    /// Says that the blocks will be read by the holder of this lock.
    func need(_ blocks: Range<Int>) throws {
        _ = try set(Int32(F_RDLCK), shifted(blocks), waiting: false)
    }

    /// Says that the blocks will not be read again by the holder of this lock.
    func release(_ blocks: Range<Int>) throws {
        _ = try set(Int32(F_UNLCK), shifted(blocks), waiting: false)
    }

    /// Whether somebody else will read one of the blocks.
    func isNeeded(_ blocks: Range<Int>) throws -> Bool {
        try conflict(Int32(F_WRLCK), shifted(blocks))
    }

    /// Calls `body` while no other writer is in its own.
    func withDoor<Result>(_ body: () throws -> Result) throws -> Result {
        let door = Self.door..<Self.door + 1
        _ = try set(Int32(F_WRLCK), door, waiting: true)
        defer { _ = try? set(Int32(F_UNLCK), door, waiting: false) }
        return try body()
    }

    private func shifted(_ blocks: Range<Int>) -> Range<Int> {
        blocks.lowerBound + Self.needs..<blocks.upperBound + Self.needs
    }

    private func record(_ type: Int32, _ bytes: Range<Int>) -> Glibc.flock {
        var record = Glibc.flock()
        record.l_type = Int16(type)
        record.l_whence = Int16(SEEK_SET)
        record.l_start = bytes.lowerBound
        record.l_len = bytes.count
        return record
    }

    /// Sets a lock; false if another holder is in the way. A length of 0 would mean all bytes.
    private func set(_ type: Int32, _ bytes: Range<Int>, waiting: Bool) throws -> Bool {
        guard !bytes.isEmpty else { return true }
        var record = record(type, bytes)
        while fcntl(descriptor, waiting ? Self.setLockWaiting : Self.setLock, &record) != 0 {
            switch errno {
            case EINTR: continue
            case EAGAIN, EACCES: return false
            default: throw SystemError("lock", path)
            }
        }
        return true
    }

    private func conflict(_ type: Int32, _ bytes: Range<Int>) throws -> Bool {
        guard !bytes.isEmpty else { return false }
        var record = record(type, bytes)
        guard fcntl(descriptor, Self.getLock, &record) == 0 else {
            throw SystemError("examine the lock", path)
        }
        return Int32(record.l_type) != Int32(F_UNLCK)
    }
}
