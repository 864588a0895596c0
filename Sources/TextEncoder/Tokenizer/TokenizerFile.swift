import Tensors

/// What a `tokenizer.json` of a Unigram tokenizer says.
///
/// The format is that of HF tokenizers, with two generations of the same things: `prepend_scheme`
/// or `add_prefix_space`, `▁` or a blank for runs of blanks. Truncation, padding, the decoder and
/// the post-processor are for callers that leave these to the file, and are not read.
struct TokenizerFile {
    /// Strings that are one token wherever they stand.
    let addedTokens: [AddedToken]
    /// The steps of normalisation, in order.
    let normalizers: [Normalizer]
    /// How words are told apart.
    let metaspace: Metaspace
    /// The model and its vocabulary.
    let model: UnigramModel

    /// Reads and checks a file; throws `SystemError`, or `TokenizerFileError` naming the key.
    init(path: String) throws {
        let file = try MappedFile(path: path)
        file.advise(.sequential, 0..<file.bytes.count)
        var scanner = JSONScanner(file.bytes)
        do {
            var addedTokens: [AddedToken] = []
            var normalizers: [Normalizer] = []
            var metaspace: Metaspace?
            var model: UnigramModel?
            try scanner.object { scanner, key in
                switch key {
                case "added_tokens": addedTokens = try Self.addedTokens(&scanner)
                case "normalizer": normalizers = try Self.normalizers(&scanner)
                case "pre_tokenizer": metaspace = try Self.metaspace(&scanner)
                case "model": model = try UnigramModel(&scanner)
                default: try scanner.skipValue()
                }
            }
            try scanner.end()
            self.addedTokens = addedTokens
            self.normalizers = normalizers
            self.metaspace = try scanner.require(metaspace, "pre_tokenizer")
            self.model = try scanner.require(model, "model")
        } catch let failure as JSONScanner.Failure {
            let key = failure.key.isEmpty ? nil : failure.key
            throw TokenizerFileError(path: path, key: key, reason: failure.reason)
        }
    }

    /// The id of a token that the pipeline needs, such as `</s>`.
    func id(of content: String) -> Int32? {
        addedTokens.last { $0.content.utf8.elementsEqual(content.utf8) }?.id
            ?? model.pieces.id(of: content.utf8).map(Int32.init)
    }

    /// Reads `added_tokens`.
    private static func addedTokens(_ scanner: inout JSONScanner) throws -> [AddedToken] {
        if scanner.null() { return [] }
        var tokens: [AddedToken] = []
        try scanner.array { scanner, _ in tokens.append(try AddedToken(&scanner)) }
        return tokens
    }

    /// Reads `pre_tokenizer`.
    private static func metaspace(_ scanner: inout JSONScanner) throws -> Metaspace {
        var type: String?
        var mark: String?
        var addsPrefixSpace = true
        var prepend: Metaspace.Prepend?
        var splits = true
        try scanner.object { scanner, key in
            switch key {
            case "type": type = try scanner.string()
            case "replacement": mark = try scanner.string()
            case "add_prefix_space": addsPrefixSpace = try scanner.boolean()
            case "prepend_scheme":
                let scheme = try scanner.string()
                prepend = Metaspace.Prepend(rawValue: scheme)
                guard prepend != nil else { throw scanner.failure("is '\(scheme)', unknown") }
            case "split": splits = try scanner.boolean()
            default: try scanner.skipValue()
            }
        }
        guard try scanner.require(type, "type") == "Metaspace" else {
            throw scanner.failure("is of type '\(type ?? "")', not 'Metaspace'")
        }
        let markBytes = Array(try scanner.require(mark, "replacement").utf8)
        guard !markBytes.isEmpty else { throw scanner.failure("has an empty replacement") }
        return Metaspace(
            mark: markBytes, prepend: prepend ?? (addsPrefixSpace ? .always : .never),
            splits: splits)
    }
}

extension JSONScanner {
    /// The value of a key of the object just read, or a failure that says that it is missing.
    func require<Value>(_ value: Value?, _ key: String) throws -> Value {
        guard let value else { throw failure("is missing", in: key) }
        return value
    }
}

extension AddedToken {
    /// Reads an element of `added_tokens`.
    fileprivate init(_ scanner: inout JSONScanner) throws {
        var id: Int32?
        var content: String?
        try scanner.object { scanner, key in
            switch key {
            case "id": id = try scanner.id()
            case "content": content = try scanner.string()
            case "single_word": isSingleWord = try scanner.boolean()
            case "lstrip": stripsLeft = try scanner.boolean()
            case "rstrip": stripsRight = try scanner.boolean()
            case "normalized": isNormalized = try scanner.boolean()
            default: try scanner.skipValue()
            }
        }
        self.id = try scanner.require(id, "id")
        self.content = try scanner.require(content, "content")
    }
}
