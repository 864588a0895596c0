import CNVIDIA
import Compute

/// The driver's own pool in the order of a stream, up to a limit. Memory that is given back returns to the card only when an
/// allocation would fail.
final class DriverPool: AddressSource {
    private let context: Context
    private let stream: Stream
    private let handle: CUmemoryPool
    private let limit: Int?
    /// What the limit leaves to others than tensors.
    private let overhead: CardOverhead

    /// An empty pool, which may grow until the process holds `limit` bytes of the card, or to the card's size.
    init(_ context: Context, stream: Stream, limit: Int?) throws {
        self.context = context
        self.stream = stream
        self.limit = limit
        overhead = CardOverhead(contextBytes: context.overheadBytes)
        var properties = CUmemPoolProps()
        properties.allocType = Int32(CU_MEM_ALLOCATION_TYPE_PINNED)
        properties.location = CUmemLocation(
            type: Int32(CU_MEM_LOCATION_TYPE_DEVICE), id: Int32(context.ordinal))
        let driver = context.driver
        // What is given back stays in the pool, and counts.
        if let limit {
            properties.maxSize = max(CardOverhead.granule, overhead.blockBytes(limit: limit))
        }
        var handle: CUmemoryPool?
        var result = driver.poolCreate(&handle, &properties)
        if result == CUDA_ERROR_INVALID_VALUE, limit != nil {
            // Drivers before CUDA 12.3 know no largest size.
            properties.maxSize = 0
            result = driver.poolCreate(&handle, &properties)
        }
        try driver.check(result, "cuMemPoolCreate")
        self.handle = handle!
        var threshold = UInt64.max
        try driver.check(
            driver.poolSetAttribute(
                self.handle, Int32(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD), &threshold),
            "cuMemPoolSetAttribute")
    }

    deinit { _ = context.driver.poolDestroy(handle) }

    var reservedBytes: Int? { nil }
    var reachedBytes: Int? { nil }
    var overheadBytes: Int? { limit.map { _ in overhead.bytes } }

    func allocate(_ size: Int, for lifetime: Lifetime, beside used: Int) throws -> UInt64 {
        if let limit, used + size > overhead.blockBytes(limit: limit) {
            throw OutOfMemory(
                requested: size, lacking: used + size - overhead.blockBytes(limit: limit),
                limit: limit, used: used + overhead.bytes)
        }
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
            // Within a limit it is the holes between tensors that are too small.
            let free = try context.memory().free
            throw OutOfMemory(
                requested: size, lacking: max(1, size - free), limit: limit,
                used: limit == nil ? used : used + overhead.bytes)
        }
        try driver.check(result, "cuMemAllocFromPoolAsync")
        return address
    }

    func release(_ address: UInt64) {
        // A destructor cannot throw: what fails here fails again in the stream's next call.
        try? context.activate()
        _ = context.driver.free(address, stream.handle)
    }
}
