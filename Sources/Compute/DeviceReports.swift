/// A device that can tell which kernels did its work.
public protocol KernelReporting {
    /// The names of the kernels and library routines that ran so far, sorted, each once.
    var kernelsUsed: [String] { get }
    /// How many were launched so far, those inside graphs included.
    var launchCount: Int { get }
}

/// A device that counts the memory that it holds.
public protocol MemoryReporting {
    /// Bytes that live tensors hold now.
    var allocatedBytes: Int { get }
    /// The most bytes that they held at once.
    var peakBytes: Int { get }
    /// Bytes in use on the whole card, whoever uses them; nil for a device that is no card.
    var cardBytes: Int? { get }
}

extension MemoryReporting {
    public var cardBytes: Int? { nil }
}
