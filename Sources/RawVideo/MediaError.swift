/// What went wrong with a media file, in one line that names it.
public struct MediaError: Error, Hashable, Sendable {
    /// What was attempted, as it follows "cannot": "read", "write".
    public let action: String
    /// The path as the user gave it.
    public let path: String
    /// Why it failed, as it follows a colon.
    public let reason: String

    /// An error about a file.
    public init(_ action: String, _ path: String, _ reason: String) {
        self.action = action
        self.path = path
        self.reason = reason
    }
}

extension MediaError: CustomStringConvertible {
    public var description: String { "cannot \(action) '\(path)': \(reason)" }
}
