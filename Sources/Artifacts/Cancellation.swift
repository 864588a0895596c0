import Glibc
import Synchronization

/// A request to stop, which also wakes whoever waits for a stream to grow.
public final class Cancellation: Sendable {
    private let flag = Atomic(false)
    /// Becomes readable with the request.
    let descriptor: Int32
    private let trigger: Int32

    /// A request that has not been made. Traps if the process has no descriptors left.
    public init() {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "no descriptors are left")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        descriptor = ends[0]
        trigger = ends[1]
    }

    deinit {
        close(descriptor)
        close(trigger)
    }

    /// Whether the request was made.
    public var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// Makes the request, from any thread; again does nothing.
    public func cancel() {
        guard !flag.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte: UInt8 = 0
        // The pipe is empty, so this neither blocks nor fails.
        _ = write(trigger, &byte, 1)
    }

    /// Throws `CancellationError` if the request was made.
    public func check() throws(CancellationError) {
        if isCancelled { throw CancellationError() }
    }
}
