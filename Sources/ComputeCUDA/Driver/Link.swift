/// The queues of copies between host and card, one for each direction, beside the operations' own.
final class Link {
    /// To the card.
    let fetching: Stream
    /// To the host.
    let storing: Stream

    /// Empty queues.
    init(_ context: Context) throws {
        fetching = try Stream(context)
        storing = try Stream(context)
    }

    /// Waits until all copies are done; throws what went wrong in them.
    func synchronize() throws {
        try fetching.synchronize()
        try storing.synchronize()
    }
}
