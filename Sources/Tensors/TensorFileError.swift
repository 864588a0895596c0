/// What is wrong with a tensor file, in one line that names the file.
public struct TensorFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path as the user gave it.
    public let path: String
    /// The tensor concerned, if one is.
    public let tensor: String?
    /// What is wrong, as it follows a colon.
    public let reason: String

    /// An error about a file, or about one tensor in it.
    public init(path: String, tensor: String? = nil, reason: String) {
        self.path = path
        self.tensor = tensor
        self.reason = reason
    }

    public var description: String {
        let subject = tensor.map { "tensor '\(printable($0))' " } ?? ""
        return "cannot read '\(path)': \(subject)\(reason)"
    }
}

/// A name from a file nobody vouched for, short and without what a terminal would obey, for a message.
package func printable(_ name: String) -> String {
    let limit = 200
    var text = ""
    for scalar in name.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: text += "?"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return name.unicodeScalars.count > limit ? text + "..." : text
}
