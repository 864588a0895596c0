extension TokenizerFile {
    /// Reads `normalizer`: nothing, one step, or a sequence of steps.
    static func normalizers(_ scanner: inout JSONScanner) throws -> [Normalizer] {
        if scanner.null() { return [] }
        var type: String?
        var steps: [Normalizer] = []
        var fields = Normalizer.Fields()
        try scanner.object { scanner, key in
            switch key {
            case "type": type = try scanner.string()
            case "normalizers":
                try scanner.array { scanner, _ in steps += try normalizers(&scanner) }
            default: try fields.read(key, &scanner)
            }
        }
        let required = try scanner.require(type, "type")
        return required == "Sequence"
            ? steps : [try fields.normalizer(type: required, &scanner)]
    }
}

extension Normalizer {
    /// The keys of all types of normalizers; which ones count depends on a type that may follow.
    fileprivate struct Fields {
        /// Of `Precompiled`.
        private var map: CharacterMap?
        /// Of `Strip`.
        private var stripsLeft: Bool?
        /// Of `Strip`.
        private var stripsRight: Bool?
        /// Of `Replace`: the regular expression.
        private var pattern: String?
        /// Of `Replace`.
        private var content: String?

        /// No keys yet.
        init() {}

        /// Consumes the value of a key.
        mutating func read(_ key: String, _ scanner: inout JSONScanner) throws {
            switch key {
            case "precompiled_charsmap": map = try CharacterMap(&scanner)
            case "strip_left": stripsLeft = try scanner.boolean()
            case "strip_right": stripsRight = try scanner.boolean()
            case "pattern":
                try scanner.object { scanner, kind in
                    guard kind == "Regex" else { throw scanner.failure("is not supported") }
                    pattern = try scanner.string()
                }
            case "content": content = try scanner.string()
            default: try scanner.skipValue()
            }
        }

        /// The normalizer of a type, made of its keys.
        func normalizer(type: String, _ scanner: inout JSONScanner) throws -> Normalizer {
            switch type {
            case "Precompiled":
                return .characterMap(try scanner.require(map, "precompiled_charsmap"))
            case "Strip":
                return .strip(
                    left: try scanner.require(stripsLeft, "strip_left"),
                    right: try scanner.require(stripsRight, "strip_right"))
            case "Replace":
                guard try scanner.require(pattern, "pattern") == " {2,}" else {
                    throw scanner.failure(
                        "is '\(pattern ?? "")', only ' {2,}' is known", in: "pattern")
                }
                return .blankRuns(replacement: try scanner.require(content, "content"))
            default: throw scanner.failure("is '\(type)', which is not supported", in: "type")
            }
        }
    }
}

extension CharacterMap {
    /// Reads a map in base64.
    fileprivate init(_ scanner: inout JSONScanner) throws {
        guard let bytes = decodeBase64(try scanner.string()) else {
            throw scanner.failure("is not base64")
        }
        do {
            try self.init(bytes)
        } catch {
            throw scanner.failure(error.reason)
        }
    }
}
