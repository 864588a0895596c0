extension UnigramModel {
    /// Reads `model`.
    init(_ scanner: inout JSONScanner) throws {
        var type: String?
        var unknownID: Int32?
        var pieces: PieceTable?
        try scanner.object { scanner, key in
            switch key {
            case "type":
                type = try scanner.string()
                guard type == "Unigram" else {
                    throw scanner.failure("is '\(type ?? "")', not 'Unigram'")
                }
            case "unk_id": unknownID = scanner.null() ? nil : try scanner.id()
            case "byte_fallback":
                guard try !scanner.boolean() else { throw scanner.failure("is not supported") }
            case "vocab": pieces = try PieceTable(&scanner)
            default: try scanner.skipValue()
            }
        }
        _ = try scanner.require(type, "type")
        let vocabulary = try scanner.require(pieces, "vocab")
        let unknown = Int(try scanner.require(unknownID, "unk_id"))
        guard unknown < vocabulary.count else {
            throw scanner.failure(
                "is \(unknown), but the vocabulary has \(vocabulary.count) pieces", in: "unk_id")
        }
        self.init(pieces: vocabulary, unknownID: unknown)
    }
}

extension PieceTable {
    /// Reads `model.vocab`: pairs of a piece and its score, in the order of their ids.
    fileprivate init(_ scanner: inout JSONScanner) throws {
        self.init()
        try scanner.array { scanner, _ in
            var elements = 0
            try scanner.array { scanner, index in
                switch index {
                case 0: try append(score: 0) { try scanner.appendString(to: &$0) }
                case 1: setLastScore(try scanner.number())
                default: throw scanner.failure("is one too many")
                }
                elements += 1
            }
            guard elements == 2 else { throw scanner.failure("is no pair of piece and score") }
        }
        index()
    }
}
