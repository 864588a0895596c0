import CNVIDIA

/// A queue of work on the card: what is put in it runs in that order.
final class Stream {
    /// The driver's handle.
    let handle: CUstream
    private let context: Context

    /// An empty queue, independent of others.
    init(_ context: Context) throws {
        self.context = context
        var handle: CUstream?
        try context.driver.check(
            context.driver.streamCreate(&handle, UInt32(CU_STREAM_NON_BLOCKING)), "cuStreamCreate")
        self.handle = handle!
    }

    deinit { _ = context.driver.streamDestroy(handle) }

    /// Waits until all work so far is done; throws what went wrong in it.
    func synchronize() throws {
        try context.driver.check(context.driver.streamSynchronize(handle), "cuStreamSynchronize")
    }

    /// Whether all work so far is done.
    var isIdle: Bool { context.driver.streamQuery(handle) == CUDA_SUCCESS }

    /// Lets work that is put in from now on wait for what another stream holds now.
    func wait(for other: Stream, by event: Event) throws {
        try event.record(in: other)
        try wait(for: event)
    }

    /// Lets work that is put in from now on wait for an event that was recorded.
    func wait(for event: Event) throws {
        try context.driver.check(
            context.driver.streamWaitEvent(handle, event.handle, 0), "cuStreamWaitEvent")
    }
}

/// A mark in a stream that can be waited for and whose time can be told.
final class Event {
    /// The driver's handle.
    let handle: CUevent
    private let context: Context

    /// An event that was not yet recorded, with or without the time of its passing.
    init(_ context: Context, isTimed: Bool = false) throws {
        self.context = context
        let flags = isTimed ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING
        var handle: CUevent?
        try context.driver.check(
            context.driver.eventCreate(&handle, UInt32(flags)), "cuEventCreate")
        self.handle = handle!
    }

    deinit { _ = context.driver.eventDestroy(handle) }

    /// Puts the mark behind all work that the stream holds now.
    func record(in stream: Stream) throws {
        try context.driver.check(
            context.driver.eventRecord(handle, stream.handle), "cuEventRecord")
    }

    /// Waits until the mark has passed; returns at once if it was never recorded.
    func synchronize() throws {
        try context.driver.check(context.driver.eventSynchronize(handle), "cuEventSynchronize")
    }

    /// Milliseconds from an earlier timed event to this one, both passed.
    func milliseconds(since start: Event) throws -> Float {
        var milliseconds: Float = 0
        try context.driver.check(
            context.driver.eventElapsedTime(&milliseconds, start.handle, handle),
            "cuEventElapsedTime")
        return milliseconds
    }
}
