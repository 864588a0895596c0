import Glibc
import Tensors

/// Waits until files appear in a folder, without looking at it meanwhile: inotify(7).
///
/// Only this machine's doings are seen; a folder on NFS that another host fills wakes nobody.
final class FolderWatch {
    /// What woke the waiting one.
    enum Wake {
        /// A file has appeared under its name.
        case files
        /// Somebody who had the stream's lock file open for writing has closed it, or has died.
        case writerLeft
        /// The time is over.
        case timeout
    }

    private let path: String
    /// Whether it waits for the folder itself to appear.
    let isOfParent: Bool
    private let descriptor: Int32

    /// Watches files appear in a folder. Throws `SystemError`, as when there is none.
    init(folder path: String) throws(SystemError) {
        self.path = path
        isOfParent = false
        descriptor = try Self.watch(
            path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF)
    }

    /// Watches folders appear in the folder that holds `path`. Throws `SystemError`.
    init(parentOf path: String) throws(SystemError) {
        let parts = path.split(separator: "/").dropLast()
        let root = path.hasPrefix("/") ? "/" : "./"
        self.path = root + parts.joined(separator: "/")
        isOfParent = true
        descriptor = try Self.watch(self.path, IN_CREATE | IN_MOVED_TO)
    }

    private static func watch(_ path: String, _ events: Int32) throws(SystemError) -> Int32 {
        let descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("watch", path) }
        let mask = UInt32(bitPattern: events | IN_ONLYDIR)
        guard inotify_add_watch(descriptor, path, mask) >= 0 else {
            let error = SystemError("watch", path)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    deinit { close(descriptor) }

    /// Blocks in one system call until something happens, at most for a time if one is given.
    ///
    /// Throws `CancellationError` if cancelled, `SystemError` if the folder is removed.
    func wait(milliseconds: Int32? = nil, cancellation: Cancellation?) throws -> Wake {
        while true {
            try cancellation?.check()
            var waits = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            if let cancellation {
                waits.append(pollfd(fd: cancellation.descriptor, events: Int16(POLLIN), revents: 0))
            }
            let count = poll(&waits, nfds_t(waits.count), milliseconds ?? -1)
            if count == 0 { return .timeout }
            guard count > 0 || errno == EINTR else { throw SystemError("watch", path) }
            if count > 0, waits[0].revents != 0 { return try drain() }
        }
    }

    /// Takes all events that have queued up.
    private func drain() throws -> Wake {
        var wake = Wake.files
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 16 << 10, alignment: MemoryLayout<inotify_event>.alignment)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return wake }
            var offset = 0
            while offset < count {
                let event = buffer.load(fromByteOffset: offset, as: inotify_event.self)
                let start = offset + MemoryLayout<inotify_event>.size
                offset = start + Int(event.len)
                let name = buffer[start..<offset].prefix { $0 != 0 }
                if event.mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED) != 0 {
                    throw SystemError("follow", path, code: ENOENT)
                }
                if event.mask & UInt32(IN_CLOSE_WRITE) != 0,
                    name.elementsEqual(StreamFolder.lockName.utf8)
                {
                    wake = .writerLeft
                }
            }
        }
    }
}
