/// Splits text into words, with a mark for the blank before each.
struct Metaspace {
    /// Which pieces of a text get a mark in front if they have none.
    enum Prepend: String {
        case always
        /// Only the piece that the text starts with.
        case first
        case never
    }

    /// What stands for a blank: `▁`.
    let mark: [UInt8]
    /// Where marks are added.
    let prepend: Prepend
    /// Whether words are split before each mark.
    let splits: Bool

    /// Calls `body` with the UTF-8 of each word of `text`; an empty text has none.
    func forEachWord(
        of text: String, startsText: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !text.isEmpty else { return }
        let marked = marked(text, startsText: startsText)
        marked.withUnsafeBufferPointer { marked in
            var start = 0
            for end in 1..<marked.count where splits && marked[end...].starts(with: mark) {
                body(UnsafeBufferPointer(rebasing: marked[start..<end]))
                start = end
            }
            body(UnsafeBufferPointer(rebasing: marked[start...]))
        }
    }

    /// The text with marks for blanks.
    private func marked(_ text: String, startsText: Bool) -> [UInt8] {
        let blank = UInt8(ascii: " ")
        let startsMarked = text.utf8.first == blank || text.utf8.starts(with: mark)
        let prepends = prepend == .always || (prepend == .first && startsText)
        var result: [UInt8] = prepends && !startsMarked ? mark : []
        result.reserveCapacity(text.utf8.count * 2)
        for byte in text.utf8 {
            if byte == blank {
                result += mark
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
