/// The repairs of ftfy 6 (`fix_text` with its defaults), save that of mojibake.
///
/// What each step does was taken from ftfy's documentation and behaviour:
/// <https://github.com/rspeer/python-ftfy/blob/v6.3.1/ftfy/__init__.py>.
enum TextRepair {
    /// Repairs a text line by line.
    static func repair(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        var decodesEntities = true
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: "\n").map { $0 + 1 } ?? rest.endIndex
            let line = Array(rest[..<end])
            // A "<" means markup: entities stand for themselves in it and in all that follows.
            decodesEntities = decodesEntities && !line.contains("<")
            result += repairLine(line, decodesEntities: decodesEntities)
            rest = rest[end...]
        }
        return result
    }

    /// Repeats the steps until nothing changes: one repair may uncover another.
    private static func repairLine(
        _ line: [Unicode.Scalar], decodesEntities: Bool
    ) -> [Unicode.Scalar] {
        var line = line
        while true {
            let previous = line
            if decodesEntities { line = HTMLEntities.decodeTerminated(line) }
            line = plainForms(of: line)
            line = uniformLineBreaks(line)
            line = withoutTerminalEscapes(line)
            line.removeAll(where: isUnwantedControl)
            line = canonicallyComposed(line)
            if line == previous { return line }
        }
    }

    /// Maps C1 controls, ligatures, wide and narrow forms and curly quotes, in this order.
    private static func plainForms(of text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        for scalar in text {
            let scalar = PlainForms.windows1252(scalar)
            if let letters = PlainForms.ligature(scalar) ?? PlainForms.standardWidth(scalar) {
                result += letters.unicodeScalars.map(PlainForms.straightQuote)
            } else {
                result.append(PlainForms.straightQuote(scalar))
            }
        }
        return result
    }

    /// Makes `\r\n`, `\r`, U+2028, U+2029 and U+0085 a line feed each.
    private static func uniformLineBreaks(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        var follows: Unicode.Scalar?
        for scalar in text {
            switch scalar {
            case "\n" where follows == "\r": break
            case "\r", "\u{2028}", "\u{2029}", "\u{85}": result.append("\n")
            default: result.append(scalar)
            }
            follows = scalar
        }
        return result
    }

    /// Removes what colours a terminal: ESC `[`, digits and semicolons, a letter.
    private static func withoutTerminalEscapes(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains("\u{1B}") else { return text }
        var result: [Unicode.Scalar] = []
        var position = 0
        while position < text.count {
            if let end = endOfTerminalEscape(in: text, at: position) {
                position = end
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }

    /// Where the escape sequence that starts at `start` ends, if one does.
    private static func endOfTerminalEscape(
        in text: [Unicode.Scalar], at start: Int
    ) -> Int? {
        guard text[start...].starts(with: ["\u{1B}", "["]) else { return nil }
        let isParameter = { (scalar: Unicode.Scalar) in
            scalar == ";" || scalar.properties.generalCategory == .decimalNumber
        }
        guard let end = text[(start + 2)...].firstIndex(where: { !isParameter($0) }),
            ("a"..."z").contains(text[end]) || ("A"..."Z").contains(text[end])
        else { return nil }
        return end + 1
    }

    /// Whether a character controls or annotates without showing: dropped. Tab, line feed, form
    /// feed and carriage return are white space and stay.
    private static func isUnwantedControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F: true
        case 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
        default: false
        }
    }
}
