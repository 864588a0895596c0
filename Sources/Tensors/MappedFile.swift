import Glibc
import Synchronization

/// A whole file mapped for reading. Costs no memory until bytes are touched.
///
/// The mapping lives as long as the object; views keep their object alive. Files are replaced by
/// renaming and never rewritten in place, so a mapping stays what it was when it was opened.
public final class MappedFile: @unchecked Sendable {
    /// The path as it was given.
    public let path: String
    /// The file's bytes.
    public let bytes: UnsafeRawBufferPointer

    /// Which file was mapped, whatever has its path now.
    private let identity: FileIdentity
    private let reopened = Mutex<Reopened>(.notYet)

    /// The file, opened once more to be read; closed again as soon as it was mapped, so that any number of files can be.
    private enum Reopened {
        case notYet
        case open(Int32)
        /// Its path is that of another file now.
        case gone
    }

    /// Maps a regular file; throws `SystemError` if it cannot be opened, or is a folder or a device.
    public init(path: String) throws(SystemError) {
        self.path = path
        let descriptor = try SystemError.check(
            open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), "open", path)
        defer { close(descriptor) }
        var status = stat()
        try SystemError.check(fstat(descriptor, &status), "examine", path)
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw SystemError("read", path, code: EISDIR)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SystemError("map", path, code: ENODEV)
        }
        identity = FileIdentity(status)
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0),
            start != MAP_FAILED
        else { throw SystemError("map", path) }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        if let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
        reopened.withLock { if case .open(let descriptor) = $0 { close(descriptor) } }
    }

    /// How bytes will be read next, so that the kernel fetches ahead or lets go.
    public enum Advice: Sendable {
        /// Soon: read ahead.
        case willNeed
        /// From front to back.
        case sequential
        /// Not again: the pages may be dropped from this process.
        case dontNeed
    }

    /// Passes advice on a range of the file's bytes to the kernel; whole pages inside it count.
    public func advise(_ advice: Advice, _ range: Range<Int>) {
        guard let start = bytes.baseAddress, !range.isEmpty else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let lower: Int
        let upper: Int
        switch advice {
        case .dontNeed:
            // Partly covered pages belong to a neighbour too.
            lower = (range.lowerBound + page - 1) / page * page
            upper =
                range.upperBound == bytes.count
                ? range.upperBound : range.upperBound / page * page
        case .willNeed, .sequential:
            lower = range.lowerBound / page * page
            upper = range.upperBound
        }
        guard lower < upper else { return }
        let flag: Int32 =
            switch advice {
            case .willNeed: MADV_WILLNEED
            case .sequential: MADV_SEQUENTIAL
            case .dontNeed: MADV_DONTNEED
            }
        madvise(UnsafeMutableRawPointer(mutating: start) + lower, upper - lower, flag)
    }
}

extension MappedFile: ByteReading {
    public func read(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        guard let start = bytes.baseAddress, let first = source.baseAddress else { return }
        precondition(first >= start && first - start + source.count <= bytes.count)
        guard let descriptor = reopen() else { return target.copyMemory(from: source) }
        try Tensors.read(
            descriptor, at: first - start, count: source.count, into: target, path: path)
    }

    /// The file that is mapped; nil if its path is that of another one now.
    private func reopen() -> Int32? {
        reopened.withLock {
            if case .notYet = $0 {
                $0 = .gone
                let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                guard descriptor >= 0 else { return nil }
                var status = stat()
                guard fstat(descriptor, &status) == 0, FileIdentity(status) == identity else {
                    close(descriptor)
                    return nil
                }
                $0 = .open(descriptor)
            }
            guard case .open(let descriptor) = $0 else { return nil }
            return descriptor
        }
    }
}
