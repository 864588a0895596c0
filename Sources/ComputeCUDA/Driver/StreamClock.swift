/// Marks in a stream, numbered in the order in which they were put there, and the times between them.
final class StreamClock {
    private let context: Context
    private let stream: Stream
    private var events: [Event] = []
    private var used = 0

    /// A clock without marks.
    init(_ context: Context, stream: Stream) {
        self.context = context
        self.stream = stream
    }

    /// Puts a mark behind all work that the stream holds now.
    func mark() throws -> Int {
        if used == events.count { events.append(try Event(context, isTimed: true)) }
        try events[used].record(in: stream)
        used += 1
        return used - 1
    }

    /// Seconds between two marks, once they have passed.
    func seconds(from start: Int, to end: Int) throws -> Double {
        precondition(start < used && end < used)
        try events[end].synchronize()
        return try Double(events[end].milliseconds(since: events[start])) / 1000
    }

    /// Forgets the marks; their events serve the next ones.
    func removeMarks() { used = 0 }
}
