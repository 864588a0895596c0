/// Reads JSON straight from mapped bytes, front to back, without building a tree.
///
/// A tokenizer file holds 17 MB, nearly all of it one array: the pieces go from the page cache
/// into their table with nothing in between.
struct JSONScanner {
    /// What is wrong, and where.
    struct Failure: Error {
        /// The keys and indices that lead there: `model.vocab[7]`; empty at the top.
        let key: String
        /// What is wrong, as it follows the key.
        let reason: String
    }

    /// A step from a value to one inside it.
    private enum Step {
        case key(String)
        case index(Int)
    }

    /// Values nested deeper than any tokenizer's are refused, as they would exhaust the stack.
    private static let depthLimit = 64

    /// The whole file.
    private let text: UnsafeRawBufferPointer
    /// The next byte to read.
    var offset = 0
    /// The way to the present value.
    private var steps: [Step] = []

    /// Starts at the front of a text that must outlive the scanner.
    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    /// A failure at the present place, or at a key of the object that lies there.
    func failure(_ reason: String, in member: String? = nil) -> Failure {
        var key = ""
        for step in steps + (member.map { [.key($0)] } ?? []) {
            switch step {
            case .key(let name): key += key.isEmpty ? name : "." + name
            case .index(let index): key += "[\(index)]"
            }
        }
        return Failure(key: key, reason: reason)
    }

    /// Consumes an object, calling `member` with each key; `member` must consume the value.
    mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
        try open("{", "an object")
        if !skip("}") {
            repeat {
                skipBlanks()
                let key = try string()
                try expect(":")
                steps.append(.key(key))
                try member(&self, key)
                steps.removeLast()
            } while skip(",")
            try expect("}")
        }
    }

    /// Consumes an array, calling `element` with each index; `element` must consume the value.
    mutating func array(_ element: (inout JSONScanner, Int) throws -> Void) throws {
        try open("[", "an array")
        if !skip("]") {
            var index = 0
            repeat {
                steps.append(.index(index))
                try element(&self, index)
                steps.removeLast()
                index += 1
            } while skip(",")
            try expect("]")
        }
    }

    /// Consumes a string.
    mutating func string() throws -> String {
        var bytes: [UInt8] = []
        try appendString(to: &bytes)
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw failure("is not UTF-8")
        }
        return string
    }

    /// Consumes a string and appends its bytes, whether or not they are valid UTF-8.
    mutating func appendString(to bytes: inout [UInt8]) throws {
        try openScalar("\"", "a string")
        while true {
            let start = offset
            while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                guard byte >= 0x20 else { throw failure("has a control character in a string") }
                offset += 1
            }
            bytes.append(contentsOf: text[start..<offset])
            guard let byte = peek() else { throw failure("has a string that does not end") }
            offset += 1
            if byte == UInt8(ascii: "\"") { return }
            bytes.append(contentsOf: String(try escape()).utf8)
        }
    }

    /// Consumes an id: an integer that is at least 0 and fits 32 bits.
    mutating func id() throws -> Int32 {
        guard let id = Int32(exactly: try number()), id >= 0 else { throw failure("is no id") }
        return id
    }

    /// Consumes `true` or `false`.
    mutating func boolean() throws -> Bool {
        skipBlanks()
        if skipWord("true") { return true }
        if skipWord("false") { return false }
        throw mismatch("true or false")
    }

    /// Consumes `null` if it comes next, and says so.
    mutating func null() -> Bool {
        skipBlanks()
        return skipWord("null")
    }

    /// Consumes any value.
    mutating func skipValue() throws {
        skipBlanks()
        switch peek() {
        case UInt8(ascii: "{"): try object { scanner, _ in try scanner.skipValue() }
        case UInt8(ascii: "["): try array { scanner, _ in try scanner.skipValue() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
        case UInt8(ascii: "n") where null(): break
        default: _ = try number()
        }
    }

    /// Makes sure that nothing but blanks is left.
    mutating func end() throws {
        skipBlanks()
        guard offset == text.count else { throw failure("has text after its end") }
    }
}

extension JSONScanner {
    /// The character after a backslash.
    private mutating func escape() throws -> Unicode.Scalar {
        guard let byte = peek() else { throw failure("has a string that does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("has an unknown escape in a string")
        }
    }

    /// The character after `\u`: one UTF-16 unit, or two that make a surrogate pair.
    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, skipWord("\\u") else {
            throw failure("has half a surrogate pair in a string")
        }
        let second = try unit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("has half a surrogate pair in a string") }
        return scalar
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), byte < 0x80,
                let digit = Character(Unicode.Scalar(byte)).hexDigitValue
            else { throw failure("has a malformed \\u escape in a string") }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    /// Consumes the first character of an object or array.
    private mutating func open(_ character: Unicode.Scalar, _ kind: String) throws {
        guard steps.count < Self.depthLimit else { throw failure("is nested too deep") }
        try openScalar(character, kind)
    }

    /// Consumes the first character of a value of a kind.
    private mutating func openScalar(_ character: Unicode.Scalar, _ kind: String) throws {
        guard skip(character) else { throw mismatch(kind) }
    }

    /// Says what stands here instead of what was expected.
    func mismatch(_ expected: String) -> Failure {
        let found: String? =
            switch peek() {
            case UInt8(ascii: "{"): "an object"
            case UInt8(ascii: "["): "an array"
            case UInt8(ascii: "\""): "a string"
            case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
            case UInt8(ascii: "n"): "null"
            case let byte? where byte == UInt8(ascii: "-") || byte &- 0x30 <= 9: "a number"
            case nil: "the end of the file"
            default: nil
            }
        guard let found else { return failure("is not JSON at byte \(offset)") }
        return failure("is \(found), not \(expected)")
    }

    /// The next byte; nil at the end.
    func peek() -> UInt8? {
        offset < text.count ? text[offset] : nil
    }

    /// Consumes white space.
    mutating func skipBlanks() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    /// Consumes white space and then a character; false if another comes next.
    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        return skipHere(character)
    }

    /// Consumes a character; false if another comes next.
    mutating func skipHere(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// Consumes a word; false if it does not come next.
    private mutating func skipWord(_ word: StaticString) -> Bool {
        let word = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard text[offset...].starts(with: word) else { return false }
        offset += word.count
        return true
    }

    /// Consumes white space and a character that must be there.
    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard skip(character) else {
            throw failure("is not JSON at byte \(offset): expected '\(character)'")
        }
    }
}
