/// The tokens of one text, the end mark included.
public struct TokenizedText: Hashable, Sendable {
    /// Vocabulary ids, `</s>` last; not padded. [length]
    public let ids: [Int32]
    /// How many tokens of the text did not fit and were dropped.
    public let truncatedTokens: Int
    /// The id that fills a row up.
    public let padID: Int32

    /// The number of ids, the end mark included.
    public var length: Int { ids.count }

    /// The ids followed by padding. [count]
    public func padded(to count: Int) -> [Int32] {
        precondition(count >= length, "padding cannot shorten a text")
        return ids + Array(repeating: padID, count: count - length)
    }
}
