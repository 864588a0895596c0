import Compute

extension CUDADevice: KernelReporting {}

extension CUDADevice: MemoryReporting {
    /// Bytes in use on the whole card: everyone's, contexts and libraries included.
    public var cardBytes: Int? {
        (try? context.memory()).map { $0.total - $0.free }
    }

    public var reservedBytes: Int? { pool.reservedBytes }
    public var reachedBytes: Int? { pool.reachedBytes }
    public var overheadBytes: Int? { pool.overheadBytes }
    public var processBytes: Int? { context.processBytes }
}

extension CUDADevice {
    /// Cards that this process sees. Throws what the driver throws, or `MissingLibrary` without one.
    public static func cardCount() throws -> Int {
        let driver = try DriverAPI()
        var count: Int32 = 0
        try driver.check(driver.deviceGetCount(&count), "cuDeviceGetCount")
        return Int(count)
    }

    /// What the process holds on the card beside tensors.
    public var overhead: CardOverhead { CardOverhead(contextBytes: context.overheadBytes) }

    /// Bytes that the process could hold on the card now: what is free, and its context.
    public var availableBytes: Int? {
        (try? context.memory()).map { $0.free + context.overheadBytes }
    }
}

extension CUDADevice: MemoryReserving {
    public func reserve(_ byteCount: Int) throws {
        try context.activate()
        try pool.reserve(byteCount)
    }
}

extension CUDADevice: LifetimePlacing {
    public var lifetime: Lifetime {
        get { pool.lifetime }
        set { pool.lifetime = newValue }
    }
}

extension CUDADevice: OperationTiming {
    /// Longer than the host takes to ask for an operation of several kernels.
    private static let pauseNanoseconds = 100_000

    public func markStart() throws -> Int {
        try context.activate()
        if stream.isIdle {
            try launch("Pause.pause", grid: (1, 1, 1), block: 1, .int(Self.pauseNanoseconds))
        }
        return try clock.mark()
    }

    public func markEnd() throws -> Int { try clock.mark() }

    public func seconds(from start: Int, to end: Int) throws -> Double {
        try context.activate()
        return try clock.seconds(from: start, to: end)
    }

    public func removeMarks() { clock.removeMarks() }
}
