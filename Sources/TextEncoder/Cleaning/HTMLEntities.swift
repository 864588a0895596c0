/// Character references of HTML in their two readings: the standard's lenient one, and the careful
/// one that wants the semicolon.
enum HTMLEntities {
    /// Resolves references as Python's `html.unescape` does: named ones by the longest prefix that
    /// needs no semicolon (`&notit` is `¬it`), numeric ones with the standard's replacements.
    ///
    /// Source: <https://github.com/python/cpython/blob/v3.12.0/Lib/html/__init__.py>.
    static func unescape(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        replaceReferences(in: text) { rest in
            let body = rest.dropFirst()
            return body.first == "#" ? lenientNumber(body) : lenientName(body)
        }
    }

    /// Resolves only references that end in a semicolon, as ftfy does: `&eacute;`, `&#233;`, and
    /// the capital of a lower-case name (`&EACUTE;`) where nothing else is meant by it.
    static func decodeTerminated(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let longestBody = 24
        return replaceReferences(in: text) { rest in
            var body = rest.dropFirst()
            let isNumeric = body.first == "#"
            if isNumeric { body = body.dropFirst() }
            body = body.prefix(while: isASCIIAlphanumeric)
            guard (1...longestBody).contains(body.count), body.endIndex < rest.endIndex,
                rest[body.endIndex] == ";"
            else { return nil }
            let end = body.endIndex + 1
            if isNumeric {
                // "&#59;" is left for the lenient reading, and so is a number with a tail.
                guard let number = lenientNumber(rest.dropFirst()), number.end == end,
                    number.value != [";"]
                else { return nil }
                return number
            }
            return (HTMLEntityIndex.entity(body)?.value ?? capitals(body)).map { ($0, end) }
        }
    }

    /// What a reference stands for, and where the text goes on.
    private typealias Resolved = (value: [Unicode.Scalar], end: Int)

    /// Calls `resolve` with the text from each `&` on; what it declines stays.
    private static func replaceReferences(
        in text: [Unicode.Scalar], resolve: (ArraySlice<Unicode.Scalar>) -> Resolved?
    ) -> [Unicode.Scalar] {
        guard text.contains("&") else { return text }
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            if text[position] == "&", let reference = resolve(text[position...]) {
                result += reference.value
                position = reference.end
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }

    /// `#233`, `#xE9`, with or without a semicolon.
    private static func lenientNumber(_ body: ArraySlice<Unicode.Scalar>) -> Resolved? {
        var digits = body.dropFirst()
        let isHexadecimal = digits.first == "x" || digits.first == "X"
        if isHexadecimal { digits = digits.dropFirst() }
        let radix: UInt32 = isHexadecimal ? 16 : 10
        var value: UInt32 = 0
        var end = digits.startIndex
        while end < digits.endIndex, digits[end].isASCII,
            let digit = Character(digits[end]).hexDigitValue, digit < radix
        {
            // Anything beyond Unicode is the same, so a long number need not be kept.
            value = min(value * radix + UInt32(digit), 0x11_0000)
            end += 1
        }
        guard end > digits.startIndex else { return nil }
        if end < digits.endIndex, digits[end] == ";" { end += 1 }
        return (character(number: value), end)
    }

    /// What the standard makes of a number
    /// (<https://html.spec.whatwg.org/#numeric-character-reference-end-state>); controls and
    /// noncharacters give nothing.
    private static func character(number: UInt32) -> [Unicode.Scalar] {
        switch number {
        case 0: return ["\u{FFFD}"]
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
        default:
            guard let scalar = Unicode.Scalar(number) else { return ["\u{FFFD}"] }
            return number & 0xFFFE == 0xFFFE ? [] : [PlainForms.windows1252(scalar)]
        }
    }

    /// A name, or the longest start of it that may do without a semicolon.
    private static func lenientName(_ body: ArraySlice<Unicode.Scalar>) -> Resolved? {
        let run = body.prefix(HTMLEntityIndex.longestName).prefix(while: isASCIIAlphanumeric)
        if run.endIndex < body.endIndex, body[run.endIndex] == ";",
            let entity = HTMLEntityIndex.entity(run)
        {
            return (entity.value, run.endIndex + 1)
        }
        var start = run
        while !start.isEmpty {
            if let entity = HTMLEntityIndex.entity(start), entity.standsAlone {
                return (entity.value, start.endIndex)
            }
            start = start.dropLast()
        }
        return nil
    }

    /// The capital of what a name stands for, if the name is written in capitals and neither it
    /// nor a start of it is a reference.
    private static func capitals(_ name: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        guard lenientName(name) == nil, !name.contains(where: { ("a"..."z").contains($0) }),
            let entity = HTMLEntityIndex.entity(lowercased(name))
        else { return nil }
        let value = String(String.UnicodeScalarView(entity.value))
        return Array(value.uppercased().unicodeScalars)
    }

    /// An ASCII name in lower case.
    private static func lowercased(_ name: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar>
    {
        ArraySlice(name.map { Character($0).lowercased().unicodeScalars.first ?? $0 })
    }

    /// Whether a character may be part of a name.
    private static func isASCIIAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "A"..."Z", "a"..."z": true
        default: false
        }
    }
}
