/// Turns text into the ids of a Unigram vocabulary, as `tokenizer.json` says.
///
/// The file, not `spiece.model`, is the authority: the released code loads the fast tokenizer,
/// which normalises differently and has no byte fallback.
public struct UnigramTokenizer: Sendable {
    /// The number of tokens that the released models take: what the text encoder is given is cut or
    /// padded to it.
    public static let modelTokens = 512

    /// The id of `<pad>`.
    public let padID: Int32
    /// The id of `</s>`.
    public let endID: Int32
    /// The largest id that `encode` can give: the embedding needs a row for it.
    public let largestID: Int32

    /// Added tokens to look for in the text as it comes.
    private let rawTokens: AddedTokens
    /// Added tokens to look for in normalised text.
    private let normalizedTokens: AddedTokens
    /// The steps of normalisation.
    private let normalizers: [Normalizer]
    /// How words are told apart.
    private let metaspace: Metaspace
    /// What splits a word into pieces.
    private let model: UnigramModel

    /// Reads a `tokenizer.json`; throws `SystemError` if it cannot be read, `TokenizerFileError`
    /// if it does not describe a tokenizer of this kind.
    public init(contentsOf path: String) throws {
        let file = try TokenizerFile(path: path)
        let require = { (content: String) throws(TokenizerFileError) in
            guard let id = file.id(of: content) else {
                throw TokenizerFileError(
                    path: path, key: "added_tokens", reason: "lacks '\(content)'")
            }
            return id
        }
        padID = try require("<pad>")
        endID = try require("</s>")
        normalizers = file.normalizers
        metaspace = file.metaspace
        model = file.model
        largestID = file.addedTokens.map(\.id).reduce(Int32(file.model.pieces.count - 1), max)
        rawTokens = AddedTokens(file.addedTokens.filter { !$0.isNormalized })
        normalizedTokens = AddedTokens(
            file.addedTokens.filter(\.isNormalized).map { token in
                var token = token
                token.content = Self.normalize(token.content, file.normalizers)
                return token
            })
    }

    /// The ids of a text and the end mark: at most `limit` in all, what does not fit is counted.
    /// The text should be clean (`PromptCleaner`).
    public func encode(_ text: String, limit: Int = modelTokens) -> TokenizedText {
        precondition(limit > 0, "the end mark needs a place")
        var ids: [Int32] = []
        for (index, part) in rawTokens.split(text).enumerated() {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let text): appendIDs(of: text, startsText: index == 0, to: &ids)
            }
        }
        let excess = max(0, ids.count - (limit - 1))
        ids.removeLast(excess)
        ids.append(endID)
        return TokenizedText(ids: ids, truncatedTokens: excess, padID: padID)
    }

    /// Appends the ids of text without raw added tokens.
    private func appendIDs(of text: String, startsText: Bool, to ids: inout [Int32]) {
        let normalized = Self.normalize(text, normalizers)
        for (index, part) in normalizedTokens.split(normalized).enumerated() {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let text):
                metaspace.forEachWord(of: text, startsText: startsText && index == 0) { word in
                    model.segment(word, into: &ids)
                }
            }
        }
    }

    /// Applies all steps in order.
    private static func normalize(_ text: String, _ normalizers: [Normalizer]) -> String {
        normalizers.reduce(text) { $1.normalize($0) }
    }
}
