import Tensors

/// Everything that keeps a checkpoint from being the model that was asked for.
public struct BindingError: Error, Hashable, Sendable {
    /// One tensor and what is wrong with it.
    public struct Problem: Hashable, Sendable {
        /// The tensor's full name.
        public let tensor: String
        /// What is wrong, as it follows the name.
        public let reason: String
    }

    /// The checkpoint's path as it was given.
    public let path: String
    /// All problems, in the order in which the model asked; never empty.
    public let problems: [Problem]

    /// Most problems that the description lists.
    static let listedLimit = 8
}

extension BindingError: CustomStringConvertible {
    /// One line with the first problems and the number of the others.
    public var description: String {
        let listed = problems.prefix(Self.listedLimit).map {
            "tensor '\(printable($0.tensor))' \($0.reason)"
        }
        let others = problems.count - listed.count
        let rest = others > 0 ? "; and \(others) more" : ""
        return "cannot use '\(path)': " + listed.joined(separator: "; ") + rest
    }
}
