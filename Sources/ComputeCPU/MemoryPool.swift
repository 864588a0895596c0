import Compute
import Synchronization

/// Host memory in blocks that are kept for reuse, with an optional hard limit.
///
/// The pool never holds more than was once in use at the same time: what it keeps for reuse goes back to the
/// system before it would grow beyond that.
final class MemoryPool: Sendable {
    /// Bytes in use and kept, now and at most.
    struct Counters {
        /// Bytes of blocks that someone holds.
        var used = 0
        /// Bytes of blocks kept for reuse.
        var kept = 0
        /// The most bytes that were ever in use.
        var peak = 0
    }

    private struct State {
        var counters = Counters()
        /// Blocks for reuse by size, then by address, latest last.
        var free: [Int: [UInt]] = [:]
    }

    private let limit: Int?
    private let state = Mutex(State())

    /// A pool that holds at most `limit` bytes.
    init(limit: Int?) {
        self.limit = limit
    }

    deinit { state.withLock { Self.trim(&$0, to: 0) } }

    /// Bytes in use and kept.
    var counters: Counters { state.withLock { $0.counters } }

    /// A block of at least `byteCount` bytes, aligned to 64; throws `OutOfMemory` beyond the limit.
    func allocate(_ byteCount: Int) throws -> MemoryBlock {
        let size = max(64, (byteCount + 63) / 64 * 64)
        let address = try state.withLock { state in
            if let address = Self.reuse(&state, size) { return address }
            return try grow(&state, by: size)
        }
        return MemoryBlock(address: address, byteCount: size, pool: self)
    }

    /// Takes a block back.
    fileprivate func release(_ address: UnsafeMutableRawPointer, _ size: Int) {
        state.withLock { state in
            state.counters.used -= size
            state.counters.kept += size
            state.free[size, default: []].append(UInt(bitPattern: address))
        }
    }

    /// Gives everything that is kept for reuse back to the system.
    func removeFreeBlocks() {
        state.withLock { Self.trim(&$0, to: 0) }
    }

    private static func reuse(_ state: inout State, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let address = state.free[size]?.popLast() else { return nil }
        if state.free[size]?.isEmpty == true { state.free[size] = nil }
        state.counters.kept -= size
        use(&state, size)
        return UnsafeMutableRawPointer(bitPattern: address)
    }

    private static func use(_ state: inout State, _ size: Int) {
        state.counters.used += size
        state.counters.peak = max(state.counters.peak, state.counters.used)
    }

    private func grow(_ state: inout State, by size: Int) throws -> UnsafeMutableRawPointer {
        let wanted = state.counters.used + size
        if let limit, wanted > limit {
            throw OutOfMemory(
                requested: size, lacking: wanted - limit, limit: limit, used: state.counters.used)
        }
        Self.trim(&state, to: max(0, max(wanted, state.counters.peak) - wanted))
        if let limit { Self.trim(&state, to: limit - wanted) }
        guard let address = SystemMemory.allocate(size) else {
            throw OutOfMemory(
                requested: size, lacking: size, limit: limit, used: state.counters.used)
        }
        Self.use(&state, size)
        return address
    }

    /// Frees kept blocks, largest first, until at most `bytes` are kept.
    private static func trim(_ state: inout State, to bytes: Int) {
        guard state.counters.kept > bytes else { return }
        for size in state.free.keys.sorted(by: >) {
            while state.counters.kept > bytes,
                let address = state.free[size]?.popLast().flatMap(
                    UnsafeMutableRawPointer.init(bitPattern:))
            {
                SystemMemory.free(address, size)
                state.counters.kept -= size
            }
            if state.free[size]?.isEmpty == true { state.free[size] = nil }
        }
    }
}

/// Memory of a pool; goes back to it when it is dropped.
final class MemoryBlock {
    /// The first byte.
    let address: UnsafeMutableRawPointer
    /// Bytes, a multiple of 64.
    let byteCount: Int
    private let pool: MemoryPool

    fileprivate init(address: UnsafeMutableRawPointer, byteCount: Int, pool: MemoryPool) {
        self.address = address
        self.byteCount = byteCount
        self.pool = pool
    }

    deinit { pool.release(address, byteCount) }
}
