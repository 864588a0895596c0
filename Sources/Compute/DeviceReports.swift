/// A device that can tell which kernels did its work.
public protocol KernelReporting {
    /// The names of the kernels and library routines that ran so far, sorted, each once.
    var kernelsUsed: [String] { get }
    /// Kernels launched so far, those inside graphs included and those of libraries not.
    var launchCount: Int { get }
    /// Calls of library routines so far, each of one kernel or a few.
    var libraryCallCount: Int { get }
}

/// A device that can time the ways in which its libraries offer to do what it did so far.
public protocol CandidateReporting {
    /// A table of at most `limit` ways for each problem, made in about so many seconds; also entries for
    /// the device's table of choices.
    func candidateTable(limit: Int, seconds: Double) throws -> String
}

/// A device that can set memory apart for a run whose need is known.
public protocol MemoryReserving {
    /// Takes that many bytes at once, in which all tensors will lie; before the first one. Throws `OutOfMemory` where there
    /// are not so many.
    func reserve(_ byteCount: Int) throws
}

/// A device that counts the memory that it holds.
public protocol MemoryReporting {
    /// Bytes that live tensors hold now.
    var allocatedBytes: Int { get }
    /// The most bytes that they held at once.
    var peakBytes: Int { get }
    /// Bytes in use on the whole card, whoever uses them; nil for a device that is no card.
    var cardBytes: Int? { get }
    /// Bytes of the card that were reserved for tensors, used or not; nil if none were.
    var reservedBytes: Int? { get }
    /// Bytes of them that were used at some time, holes between tensors included; nil if none were reserved.
    var reachedBytes: Int? { get }
    /// Bytes that a limit leaves to the context and to libraries; nil without a limit.
    var overheadBytes: Int? { get }
    /// Bytes of the card that the process holds, context and libraries included; nil where nobody counts them.
    var processBytes: Int? { get }
}

extension MemoryReporting {
    public var cardBytes: Int? { nil }
    public var reservedBytes: Int? { nil }
    public var reachedBytes: Int? { nil }
    public var overheadBytes: Int? { nil }
    public var processBytes: Int? { nil }
}
