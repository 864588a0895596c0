import CNVIDIA
import Dispatch
import Glibc

/// Host memory that does not move, from which the card copies at the speed of the link.
final class PinnedBuffer {
    /// The bytes.
    let bytes: UnsafeMutableRawBufferPointer
    private let context: Context
    /// Bytes of a mapping of our own that the driver was told of; nil where the memory is the driver's.
    private let mapped: Int?

    /// Smaller buffers are the driver's.
    private static let leastMapped = 16 << 20
    /// Large pages, of which a thread touches one after the other.
    private static let pageBytes = 2 << 20

    /// A buffer of that many bytes. Large ones are mapped in large pages and touched by all threads before they are pinned, which
    /// is several times as fast as what the driver does.
    init(_ context: Context, byteCount: Int) throws {
        self.context = context
        if byteCount >= Self.leastMapped, let mapping = Self.map(byteCount, context) {
            bytes = UnsafeMutableRawBufferPointer(start: mapping.start, count: byteCount)
            mapped = mapping.count
            return
        }
        var address: UnsafeMutableRawPointer?
        try context.driver.check(
            context.driver.hostAllocate(&address, byteCount, 0), "cuMemHostAlloc")
        bytes = UnsafeMutableRawBufferPointer(start: address, count: byteCount)
        mapped = nil
    }

    deinit {
        guard let start = bytes.baseAddress else { return }
        try? context.activate()
        guard let mapped else {
            _ = context.driver.hostFree(start)
            return
        }
        _ = context.driver.hostUnregister(start)
        munmap(start, mapped)
    }

    /// Pinned pages of zeros; nil where there is no room for them or the driver does not take them.
    private static func map(
        _ byteCount: Int, _ context: Context
    ) -> (start: UnsafeMutableRawPointer, count: Int)? {
        let count = byteCount.roundedUp(to: pageBytes)
        let mapping = mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start = mapping, start != MAP_FAILED else { return nil }
        madvise(start, count, MADV_HUGEPAGE)
        nonisolated(unsafe) let memory = start
        DispatchQueue.concurrentPerform(iterations: count / pageBytes) { page in
            memset(memory + page * pageBytes, 0, pageBytes)
        }
        guard context.driver.hostRegister(start, count, 0) == CUDA_SUCCESS else {
            munmap(start, count)
            return nil
        }
        return (start, count)
    }
}
