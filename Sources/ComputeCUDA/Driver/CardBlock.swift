import CNVIDIA
import Compute

/// One block of a card's memory, of all the bytes that tensors need.
///
/// Work runs in the order of one stream, and so do the addresses' uses: what is given back may be handed out at once.
final class CardBlock: AddressSource {
    private let context: Context
    private let stream: Stream
    private let limit: Int?
    private let overhead: CardOverhead
    private let start: CUdeviceptr
    private var arena: MemoryArena

    /// A block of that many bytes in a process that may hold `limit` bytes of the card in all; throws `OutOfMemory` if the
    /// limit, less the context and what is loaded later, or the card has less.
    init(_ context: Context, stream: Stream, byteCount: Int, limit: Int?) throws {
        self.context = context
        self.stream = stream
        self.limit = limit
        overhead = CardOverhead(contextBytes: context.overheadBytes)
        let size = byteCount.roundedUp(to: CardOverhead.granule)
        if let limit, size > overhead.blockBytes(limit: limit) {
            throw OutOfMemory(
                requested: size, lacking: size - overhead.blockBytes(limit: limit), limit: limit,
                used: overhead.bytes)
        }
        try context.activate()
        var start: CUdeviceptr = 0
        let result = context.driver.allocateBlock(&start, size)
        if result == CUDA_ERROR_OUT_OF_MEMORY {
            throw OutOfMemory(
                requested: size, lacking: max(1, size - (try context.memory().free)),
                limit: limit, used: overhead.contextBytes)
        }
        try context.driver.check(result, "cuMemAlloc")
        self.start = start
        arena = MemoryArena(capacity: size)
    }

    deinit {
        // Work that still uses it must end first; a destructor cannot throw.
        try? context.activate()
        try? stream.synchronize()
        _ = context.driver.freeBlock(start)
    }

    var reservedBytes: Int? { arena.capacity }
    var reachedBytes: Int? { arena.reach }
    var overheadBytes: Int? { overhead.bytes }

    func allocate(_ size: Int, for lifetime: Lifetime, beside used: Int) throws -> UInt64 {
        do {
            return try start + UInt64(arena.allocate(size, for: lifetime).lowerBound)
        } catch {
            throw OutOfMemory(
                requested: size, lacking: error.lacking, limit: limit,
                used: used + overhead.bytes)
        }
    }

    func release(_ address: UInt64) { arena.release(at: Int(address - start)) }
}
