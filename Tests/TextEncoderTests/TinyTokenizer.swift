import Foundation
import TestSupport
import TextEncoder

/// Makes tokenizer files of a few pieces, as valid as the test wants them.
struct TinyTokenizer {
    /// The pieces after `<pad>`, `</s>`, `<unk>`, with their scores as written.
    var pieces: [(String, String)]
    /// The JSON of `normalizer`.
    var normalizer = "null"
    /// The JSON of `pre_tokenizer`.
    var preTokenizer = #"{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}"#
    /// The JSON of further elements of `added_tokens`.
    var addedTokens: [String] = []

    static let special = ["<pad>", "</s>", "<unk>"]

    /// Every one of the given characters as a piece of score -1.
    init(characters: String) {
        pieces = characters.unicodeScalars.map { (String($0), "-1") }
    }

    init(_ pieces: [(String, String)]) {
        self.pieces = pieces
    }

    /// The file's text.
    var json: String {
        let special = Self.special.enumerated().map { #"{"id":\#($0),"content":"\#($1)"}"# }
        let vocabulary =
            Self.special.map { (#"["\#($0)", 0.0]"#) }
            + pieces.map { (piece, score) in #"["\#(piece)", \#(score)]"# }
        return """
            {"version": "1.0",
             "added_tokens": [\((special + addedTokens).joined(separator: ","))],
             "normalizer": \(normalizer), "pre_tokenizer": \(preTokenizer),
             "model": {"type": "Unigram", "unk_id": 2, "vocab": [
              \(vocabulary.joined(separator: ",\n"))]}}
            """
    }

    /// The tokenizer that the file describes.
    func tokenizer() throws -> UnigramTokenizer { try open(json) }

    /// The tokens of a text without the end mark, as the strings they stand for.
    func tokens(of text: String) throws -> [String] {
        let names = Self.special + pieces.map(\.0)
        return try tokenizer().encode(text).ids.dropLast().map { id in
            Int(id) < names.count ? names[Int(id)] : "#\(id)"
        }
    }
}

/// Opens a tokenizer file of a given text, called `tokenizer.json`.
func open(_ json: String) throws -> UnigramTokenizer {
    let folder = TemporaryFolder()
    let path = folder.path("tokenizer.json")
    try json.write(toFile: path, atomically: false, encoding: .utf8)
    return try UnigramTokenizer(contentsOf: path)
}
