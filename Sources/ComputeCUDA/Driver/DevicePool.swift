import CNVIDIA
import Compute

/// The card's memory, handed out and taken back in the order of one stream, with an optional hard limit.
///
/// Memory that is given back serves the stream's next allocation at once, without waiting for the work
/// that still uses it; it returns to the card only when an allocation would fail.
final class DevicePool {
    /// The most bytes that were in use at once.
    private(set) var peak = 0
    /// Bytes in use.
    private(set) var used = 0

    private let context: Context
    private let stream: Stream
    private let limit: Int?
    private let handle: CUmemoryPool

    /// The card's allocations begin at multiples of this many bytes.
    private static let granule = 512

    /// A pool that holds at most `limit` bytes.
    init(_ context: Context, stream: Stream, limit: Int?) throws {
        self.context = context
        self.stream = stream
        self.limit = limit
        var properties = CUmemPoolProps()
        properties.allocType = Int32(CU_MEM_ALLOCATION_TYPE_PINNED)
        properties.location = CUmemLocation(
            type: Int32(CU_MEM_LOCATION_TYPE_DEVICE), id: Int32(context.ordinal))
        let driver = context.driver
        var handle: CUmemoryPool?
        try driver.check(driver.poolCreate(&handle, &properties), "cuMemPoolCreate")
        self.handle = handle!
        var threshold = UInt64.max
        try driver.check(
            driver.poolSetAttribute(
                self.handle, Int32(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD), &threshold),
            "cuMemPoolSetAttribute")
    }

    deinit { _ = context.driver.poolDestroy(handle) }

    /// Memory of at least that many bytes; throws `OutOfMemory` beyond the limit or the card's size.
    func allocate(_ byteCount: Int) throws -> DeviceMemory {
        let size = max(1, byteCount).roundedUp(to: Self.granule)
        if let limit, used + size > limit { throw outOfMemory(size, lacking: used + size - limit) }
        var address: CUdeviceptr = 0
        let driver = context.driver
        var result = driver.allocateFromPool(&address, size, handle, stream.handle)
        if result == CUDA_ERROR_OUT_OF_MEMORY {
            // What is kept in pieces too small goes back to the card, and comes again as one.
            try stream.synchronize()
            try driver.check(driver.poolTrim(handle, used), "cuMemPoolTrimTo")
            result = driver.allocateFromPool(&address, size, handle, stream.handle)
        }
        if result == CUDA_ERROR_OUT_OF_MEMORY {
            throw outOfMemory(size, lacking: max(1, size - (try context.memory().free)))
        }
        try driver.check(result, "cuMemAllocFromPoolAsync")
        used += size
        peak = max(peak, used)
        return DeviceMemory(address: address, byteCount: byteCount, size: size, pool: self)
    }

    fileprivate func release(_ address: CUdeviceptr, _ size: Int) {
        used -= size
        // A destructor cannot throw: what fails here fails again in the stream's next call.
        try? context.activate()
        _ = context.driver.free(address, stream.handle)
    }

    private func outOfMemory(_ size: Int, lacking: Int) -> OutOfMemory {
        OutOfMemory(requested: size, lacking: lacking, limit: limit, used: used)
    }
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

extension Int {
    /// The smallest multiple of `step` that is not less.
    func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
