/// How much of a recording is attended at once. Recordings up to `length` are done in one pass, as in
/// the released code; longer ones in windows of that length which overlap, so that every step that is
/// kept has `context` on both sides of it (but at the ends of the recording).
public struct AttentionWindow: Hashable, Sendable {
    /// Steps attended at once.
    public let length: Int
    /// Steps at each inner end of a window that are computed and not kept.
    public let context: Int

    /// A window of `length` steps; traps unless it is longer than the context on both sides.
    public init(length: Int, context: Int) {
        precondition(context >= 1 && length > 2 * context)
        self.length = length
        self.context = context
    }

    /// One window over a recording.
    struct Span: Hashable {
        /// The steps that are computed.
        let steps: Range<Int>
        /// Those that are kept.
        let kept: Range<Int>
    }

    /// The windows over a recording, in order; what they keep covers it once.
    func spans(steps: Int) -> [Span] {
        guard steps > length else { return [Span(steps: 0..<steps, kept: 0..<steps)] }
        var spans: [Span] = []
        var done = 0
        while done < steps {
            // The last window is shifted back, so that it is as long as the others.
            let start = max(0, min(done - context, steps - length))
            let end = start + length
            let keptEnd = end == steps ? end : end - context
            spans.append(Span(steps: start..<end, kept: done..<keptEnd))
            done = keptEnd
        }
        return spans
    }
}
