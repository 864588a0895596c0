import CNVIDIA
import Compute

/// The card's memory, handed out and taken back in the order of one stream, with an optional hard limit.
///
/// Memory that is given back serves the stream's next allocation at once, without waiting for the work
/// that still uses it. It comes from the card as it is needed; or all of it is one block, where it is known what is needed.
final class DevicePool {
    /// The most bytes that were in use at once.
    private(set) var peak = 0
    /// Bytes in use.
    private(set) var used = 0
    /// How long the memory is held that is allocated from now on.
    var lifetime = Lifetime.short

    private let context: Context
    private let stream: Stream
    private let limit: Int?
    private var source: any AddressSource

    /// A pool for a process that holds at most `limit` bytes of the card in all.
    init(_ context: Context, stream: Stream, limit: Int?) throws {
        self.context = context
        self.stream = stream
        self.limit = limit
        source = try DriverPool(context, stream: stream, limit: limit)
    }

    /// Takes one block of that many bytes, in which all tensors will lie. Traps if there are tensors already.
    func reserve(_ byteCount: Int) throws {
        precondition(used == 0, "memory is reserved before it is used")
        source = try CardBlock(context, stream: stream, byteCount: byteCount, limit: limit)
    }

    /// Bytes of the card that tensors may use; nil if that is all it has.
    var reservedBytes: Int? { source.reservedBytes }
    /// Bytes of the card that tensors used at some time, the holes between them included; nil without a limit.
    var reachedBytes: Int? { source.reachedBytes }
    /// Bytes that the limit leaves to what is no tensor; nil without a limit.
    var overheadBytes: Int? { source.overheadBytes }

    /// Memory of at least that many bytes; throws `OutOfMemory` beyond the limit or the card's size.
    func allocate(_ byteCount: Int) throws -> DeviceMemory {
        let size = MemoryArena.size(of: byteCount)
        let address = try source.allocate(size, for: lifetime, beside: used)
        used += size
        peak = max(peak, used)
        return DeviceMemory(address: address, byteCount: byteCount, size: size, pool: self)
    }

    fileprivate func release(_ address: UInt64, _ size: Int) {
        used -= size
        source.release(address)
    }
}

/// Where a pool's memory lies: addresses are handed out and taken back in the order of a stream.
protocol AddressSource: AnyObject {
    /// Bytes that it holds, used or not; nil if it takes what it needs.
    var reservedBytes: Int? { get }
    /// Bytes of them that were used at some time.
    var reachedBytes: Int? { get }
    /// Bytes beside them that a limit leaves to others.
    var overheadBytes: Int? { get }

    /// The address of `size` bytes, while `used` are in use; throws `OutOfMemory`.
    func allocate(_ size: Int, for lifetime: Lifetime, beside used: Int) throws -> UInt64

    /// Takes an address back.
    func release(_ address: UInt64)
}

/// Memory of a card's pool; goes back to it, in the stream's order, when it is dropped.
final class DeviceMemory: Storage {
    /// Where it begins on the card.
    let address: UInt64
    let byteCount: Int
    private let size: Int
    private let pool: DevicePool

    fileprivate init(address: UInt64, byteCount: Int, size: Int, pool: DevicePool) {
        self.address = address
        self.byteCount = byteCount
        self.size = size
        self.pool = pool
    }

    deinit { pool.release(address, size) }
}
