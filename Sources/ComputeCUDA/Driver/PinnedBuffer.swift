import CNVIDIA

/// Host memory that does not move, from which the card copies at the speed of the link.
final class PinnedBuffer {
    /// The bytes.
    let bytes: UnsafeMutableRawBufferPointer
    private let context: Context

    /// A buffer of that many bytes.
    init(_ context: Context, byteCount: Int) throws {
        self.context = context
        var address: UnsafeMutableRawPointer?
        try context.driver.check(
            context.driver.hostAllocate(&address, byteCount, 0), "cuMemHostAlloc")
        bytes = UnsafeMutableRawBufferPointer(start: address, count: byteCount)
    }

    deinit { _ = context.driver.hostFree(bytes.baseAddress!) }
}
