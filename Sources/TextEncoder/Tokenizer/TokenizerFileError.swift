import Tensors

/// What is wrong with a `tokenizer.json`, in one line that names the file and the key.
public struct TokenizerFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path as the user gave it.
    public let path: String
    /// The place in the file, such as `model.vocab[7]`; nil if the text is no JSON object.
    public let key: String?
    /// What is wrong, as it follows the key.
    public let reason: String

    /// An error about a file, or about one key in it.
    public init(path: String, key: String? = nil, reason: String) {
        self.path = path
        self.key = key
        self.reason = reason
    }

    /// The line that a tool prints after its name.
    public var description: String {
        let subject = key.map { "key '\(printable($0))' " } ?? ""
        return "cannot read '\(path)': \(subject)\(printable(reason))"
    }
}
