import Glibc

/// Memory as the system gives it out: large blocks as mappings of their own, which go back whole wherever they
/// lie, small ones from the heap, which keeps what lies below a block in use.
enum SystemMemory {
    /// Bytes from which a block is a mapping of its own.
    private static let mapped = 256 << 10
    /// The size of a huge page; blocks of two and more begin on the bounds of one, so that the kernel may use such.
    private static let hugePage = 2 << 20

    /// A block, aligned to 64 bytes; nil if the system has none.
    static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        if size >= mapped { return map(size) }
        var address: UnsafeMutableRawPointer?
        return posix_memalign(&address, 64, size) == 0 ? address : nil
    }

    /// Gives back a block of that size.
    static func free(_ address: UnsafeMutableRawPointer, _ size: Int) {
        if size >= mapped {
            munmap(address, size)
        } else {
            Glibc.free(address)
        }
    }

    private static func map(_ size: Int) -> UnsafeMutableRawPointer? {
        let isHuge = size >= 2 * hugePage
        let length = size + (isHuge ? hugePage : 0)
        let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start, start != MAP_FAILED else { return nil }
        guard isHuge else { return start }
        // What lies before the bound, and behind the block's last page, is given back.
        let address = start.alignedUp(toMultipleOf: hugePage)
        let end = (address + size).alignedUp(toMultipleOf: Int(getpagesize()))
        if address > start { munmap(start, address - start) }
        if start + length > end { munmap(end, start + length - end) }
        madvise(address, size, MADV_HUGEPAGE)
        return address
    }
}
