/// A string that is one token wherever it occurs in a text.
struct AddedToken {
    /// Its id.
    var id: Int32 = 0
    /// The string itself.
    var content = ""
    /// Counts only where no letter, digit or underscore adjoins it.
    var isSingleWord = false
    /// Swallows the white space before it.
    var stripsLeft = false
    /// Swallows the white space after it.
    var stripsRight = false
    /// Is looked for after normalisation instead of before.
    var isNormalized = false
}

/// Splits text at added tokens; where several fit, the longest.
///
/// The rules are those of
/// <https://github.com/huggingface/tokenizers/blob/v0.15.2/tokenizers/src/tokenizer/added_vocabulary.rs>.
struct AddedTokens {
    /// A part of a split text.
    enum Part {
        case token(Int32)
        /// Text in between, never empty.
        case text(String)
    }

    /// The tokens that start with a character, longest first.
    private let tokensByFirst: [Unicode.Scalar: [(content: [Unicode.Scalar], token: AddedToken)]]

    /// Prepares to find tokens; those without content never occur.
    init(_ tokens: [AddedToken]) {
        let longestFirst = tokens.filter { !$0.content.isEmpty }
            .map { (content: Array($0.content.unicodeScalars), token: $0) }
            .sorted { $0.content.count > $1.content.count }
        tokensByFirst = Dictionary(grouping: longestFirst) { $0.content[0] }
    }

    /// The parts of a text in order.
    func split(_ text: String) -> [Part] {
        guard !tokensByFirst.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
        let text = Array(text.unicodeScalars)
        var parts: [Part] = []
        var consumed = 0
        var position = 0
        while position < text.count {
            guard let (content, token) = match(in: text, at: position) else {
                position += 1
                continue
            }
            var range = position..<position + content.count
            position = range.upperBound
            guard !token.isSingleWord || Self.isWord(range, in: text) else { continue }
            range = Self.extended(range, over: text, token: token, limit: consumed)
            Self.append(text[consumed..<range.lowerBound], to: &parts)
            parts.append(.token(token.id))
            consumed = range.upperBound
            position = consumed
        }
        Self.append(text[consumed...], to: &parts)
        return parts
    }

    /// The longest token at a position.
    private func match(
        in text: [Unicode.Scalar], at position: Int
    ) -> (content: [Unicode.Scalar], token: AddedToken)? {
        tokensByFirst[text[position]]?.first { text[position...].starts(with: $0.content) }
    }

    /// The range with the white space that the token swallows, none of it before `limit`.
    private static func extended(
        _ range: Range<Int>, over text: [Unicode.Scalar], token: AddedToken, limit: Int
    ) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while token.stripsLeft, lower > limit, text[lower - 1].properties.isWhitespace {
            lower -= 1
        }
        while token.stripsRight, upper < text.count, text[upper].properties.isWhitespace {
            upper += 1
        }
        return lower..<upper
    }

    /// Whether no word character adjoins a range.
    private static func isWord(_ range: Range<Int>, in text: [Unicode.Scalar]) -> Bool {
        let before = text[..<range.lowerBound].last
        let after = text[range.upperBound...].first
        return !(before.map(isWordCharacter) ?? false) && !(after.map(isWordCharacter) ?? false)
    }

    /// `\w` of Unicode's regular expressions
    /// (<https://www.unicode.org/reports/tr18/#Compatibility_Properties>).
    private static func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }

    /// Appends text as a part, unless it is empty.
    private static func append(_ text: ArraySlice<Unicode.Scalar>, to parts: inout [Part]) {
        guard !text.isEmpty else { return }
        parts.append(.text(String(String.UnicodeScalarView(text))))
    }
}
