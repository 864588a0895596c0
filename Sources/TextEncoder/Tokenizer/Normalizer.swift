/// One step of a tokenizer's normalisation.
enum Normalizer {
    /// Replaces characters by SentencePiece's compiled map.
    case characterMap(CharacterMap)
    /// Drops white space at the ends.
    case strip(left: Bool, right: Bool)
    /// Replaces each run of two or more blanks: by `▁` in newer files, by one blank in older ones.
    case blankRuns(replacement: String)

    /// The normalised text.
    func normalize(_ text: String) -> String {
        switch self {
        case .characterMap(let map): map.normalize(text)
        case .strip(let left, let right): Self.strip(text, left: left, right: right)
        case .blankRuns(let replacement): Self.replaceBlankRuns(in: text, by: replacement)
        }
    }

    /// Drops white space (Unicode's White_Space) at the ends asked for.
    private static func strip(_ text: String, left: Bool, right: Bool) -> String {
        var rest = text.unicodeScalars[...]
        if left { rest = rest.drop { $0.properties.isWhitespace } }
        while right, let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
        return String(rest)
    }

    /// Replaces runs of two or more U+0020.
    private static func replaceBlankRuns(in text: String, by replacement: String) -> String {
        let blank = UInt8(ascii: " ")
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.first {
            let run = rest.prefix { $0 == blank }
            if run.count >= 2 {
                result += replacement.utf8
            } else {
                result.append(byte)
            }
            rest = rest.dropFirst(max(run.count, 1))
        }
        return String(decoding: result, as: UTF8.self)
    }
}
