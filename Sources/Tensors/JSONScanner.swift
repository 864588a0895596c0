/// Reads JSON straight from mapped bytes, one expected value after the other.
///
/// A general JSON reader would accept duplicate keys, build a tree of everything and nest without
/// limit; here the caller says what comes next, and anything else is a failure.
package struct JSONScanner {
    /// Why the text is not what was expected, and at which byte.
    package struct Failure: Error {
        package let reason: String
        package let offset: Int
    }

    private let text: UnsafeRawBufferPointer
    package private(set) var offset = 0

    package init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    /// Consumes an object, calling `member` with each key; `member` must consume the value.
    package mutating func object(
        _ member: (inout JSONScanner, String) throws -> Void
    ) throws {
        try expect("{")
        if skip("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while skip(",")
        try expect("}")
    }

    /// Consumes an array of unsigned integers of at most `limit` elements.
    package mutating func integers(limit: Int) throws -> [Int] {
        var values: [Int] = []
        try array { scanner in
            guard values.count < limit else { throw scanner.failure("an array is too long") }
            values.append(try scanner.integer())
        }
        return values
    }

    /// The first byte of the next value, which stays unread; nil at the end.
    package mutating func next() -> UInt8? {
        skipBlanks()
        return peek()
    }

    /// Consumes an array, calling `element` for each; `element` must consume the value.
    package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
        try expect("[")
        if skip("]") { return }
        repeat { try element(&self) } while skip(",")
        try expect("]")
    }

    /// Consumes the bytes of a number or of a word such as `true`; never empty.
    package mutating func bareword() throws -> String {
        skipBlanks()
        let start = offset
        while let byte = peek(), isBare(byte) { offset += 1 }
        guard offset > start else { throw failure("expected a value") }
        return try utf8(text[start..<offset])
    }

    private func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Consumes an unsigned integer that fits `Int`.
    package mutating func integer() throws -> Int {
        skipBlanks()
        let start = offset
        var value = 0
        while let digit = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            let (shifted, overflow1) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = shifted.addingReportingOverflow(Int(digit) - 48)
            guard !overflow1, !overflow2 else { throw failure("a number is too large") }
            value = sum
            offset += 1
        }
        guard offset > start else { throw failure("expected an unsigned integer") }
        guard offset == start + 1 || text[start] != UInt8(ascii: "0") else {
            throw failure("a number has leading zeros")
        }
        return value
    }

    /// Consumes a string.
    package mutating func string() throws -> String {
        try expect("\"")
        let start = offset
        while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else { throw failure("a string has a control character") }
            offset += 1
        }
        // The common case has no escapes and needs one pass.
        if peek() == UInt8(ascii: "\"") {
            defer { offset += 1 }
            return try utf8(text[start..<offset])
        }
        var bytes = Array(text[start..<offset])
        while let byte = peek(), byte != UInt8(ascii: "\"") {
            offset += 1
            if byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: String(try escape()).utf8)
            } else if byte < 0x20 {
                throw failure("a string has a control character")
            } else {
                bytes.append(byte)
            }
        }
        try expectHere("\"")
        return try bytes.withUnsafeBytes { try utf8($0[...]) }
    }

    /// Makes sure that nothing but blanks is left.
    package mutating func end() throws {
        skipBlanks()
        guard offset == text.count else { throw failure("text follows the object") }
    }

    /// A failure at the present place.
    package func failure(_ reason: String) -> Failure {
        Failure(reason: reason, offset: offset)
    }

    private mutating func escape() throws -> Unicode.Scalar {
        guard let byte = peek() else { throw failure("a string does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("a string has an unknown escape")
        }
    }

    /// The scalar after `\u`: one unit, or two that make a surrogate pair.
    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        let first = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, skipHere("\\"), skipHere("u") else {
            throw failure("a string has half a surrogate pair")
        }
        let second = try hexadecimalUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("a string has half a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimalUnit() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
                byte < 0x80
            else { throw failure("a string has a malformed \\u escape") }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    private func utf8(_ bytes: Slice<UnsafeRawBufferPointer>) throws -> String {
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw failure("a string is not UTF-8")
        }
        return string
    }

    private func peek() -> UInt8? {
        offset < text.count ? text[offset] : nil
    }

    private mutating func skipBlanks() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        return skipHere(character)
    }

    private mutating func skipHere(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        skipBlanks()
        try expectHere(character)
    }

    private mutating func expectHere(_ character: Unicode.Scalar) throws {
        guard skipHere(character) else { throw failure("expected '\(character)'") }
    }
}
