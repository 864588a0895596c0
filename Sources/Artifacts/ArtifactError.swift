/// Why something could not be done with an artifact, in one line that names it.
///
/// What is wrong inside one tensor file is a `TensorFileError`.
public struct ArtifactError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was attempted, as it follows "cannot": "read", "continue".
    public let action: String
    /// The path as the user gave it.
    public let path: String
    /// Why not, as it follows a colon.
    public let reason: String

    /// An error about an artifact.
    public init(_ action: String, _ path: String, _ reason: String) {
        self.action = action
        self.path = path
        self.reason = reason
    }

    public var description: String { "cannot \(action) '\(path)': \(reason)" }
}
