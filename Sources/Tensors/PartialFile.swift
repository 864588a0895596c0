import Glibc
import Synchronization

/// A file that appears under its name whole or not at all.
///
/// Bytes go to `NAME.partial`; `commit()` flushes it and renames it. One that is dropped before is
/// removed, and `removeAll()` does so for every one that is open when the process is interrupted.
public final class PartialFile: @unchecked Sendable {
    /// The final path.
    public let path: String
    /// The path until `commit()`.
    public let partialPath: String
    /// The open file, for reading and writing.
    public let descriptor: Int32
    private var isOpen = true

    private static let open = Mutex<Set<String>>([])

    /// Creates `path.partial`, replacing what a dead process left there.
    ///
    /// Throws `SystemError`: if a folder or a device is there, which no file may take the place of; with `EBUSY` if another
    /// live process is writing the same file.
    public init(path: String) throws(SystemError) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw SystemError("write", path, code: isFolder ? EISDIR : EPERM)
        }
        self.path = path
        partialPath = path + ".partial"
        descriptor = try Self.lock(partialPath, for: path)
        guard ftruncate(descriptor, 0) == 0 else {
            let error = SystemError("truncate", partialPath)
            close(descriptor)
            isOpen = false
            throw error
        }
        _ = Self.open.withLock { $0.insert(partialPath) }
    }

    /// Opens the partial file and locks it. The lock goes with the process, so that only a living
    /// writer holds it.
    private static func lock(_ partialPath: String, for path: String) throws(SystemError) -> Int32 {
        while true {
            let descriptor = try SystemError.check(
                Glibc.open(partialPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o666), "create", partialPath)
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw SystemError("write", path, code: EBUSY)
            }
            // Between the two calls another writer may have renamed this very file to its final name.
            var opened = stat()
            var named = stat()
            if fstat(descriptor, &opened) == 0, stat(partialPath, &named) == 0,
                FileIdentity(opened) == FileIdentity(named)
            {
                return descriptor
            }
            close(descriptor)
        }
    }

    deinit { discard() }

    /// Sets the file's length and makes the disk promise the space, so that a full disk is an error
    /// here and not a signal when a mapped page is written.
    public func reserve(_ byteCount: Int) throws(SystemError) {
        guard byteCount > 0 else { return }
        let code = posix_fallocate(descriptor, 0, byteCount)
        guard code == 0 else { throw SystemError("reserve space for", path, code: code) }
    }

    /// Writes bytes at an offset.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress! + done, bytes.count - done, offset + done)
            if count < 0, errno == EINTR { continue }
            done += try SystemError.check(count, "write", path)
        }
    }

    /// Flushes the bytes to the disk and gives the file its name.
    public func commit() throws(SystemError) {
        precondition(isOpen)
        try SystemError.check(fsync(descriptor), "flush", partialPath)
        try SystemError.check(rename(partialPath, path), "rename", partialPath)
        try Self.flushFolder(of: path)
        finish()
    }

    /// Removes the file, unless it was committed.
    public func discard() {
        guard isOpen else { return }
        unlink(partialPath)
        finish()
    }

    private func finish() {
        isOpen = false
        _ = Self.open.withLock { $0.remove(partialPath) }
        close(descriptor)
    }

    /// Removes every file that this process has begun and not committed: before an exit that
    /// runs no `deinit`.
    public static func removeAll() {
        open.withLock { paths in
            for path in paths { unlink(path) }
            paths.removeAll()
        }
    }

    /// Flushes the folder that holds `path`, so that a new name survives a power cut.
    private static func flushFolder(of path: String) throws(SystemError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
        let descriptor = try SystemError.check(
            Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", folder)
        defer { close(descriptor) }
        try SystemError.check(fsync(descriptor), "flush", folder)
    }
}
