import Tensors

extension Comparison.Row {
    /// The columns of `text`: numbers first, so that rows can be shown as they are found.
    public static var head: String {
        line("relative error", "max difference", "verdict", "tensor")
    }

    /// A line of the table.
    public var text: String {
        switch finding {
        case .difference(let difference):
            Self.line(
                short(difference.relativeError), short(difference.maximum),
                isSame ? "same" : "differs", label)
        case .shapes(let mine, let theirs):
            Self.line("-", "-", "differs", "\(label): \(mine), the other \(theirs)")
        case .missing(let path):
            Self.line("-", "-", "missing", "\(label): not in '\(plain(path))'")
        }
    }

    private static func line(
        _ error: String, _ maximum: String, _ verdict: String, _ tensor: String
    ) -> String {
        let number = 14
        let word = 7
        return "\(error.padding(before: number))  \(maximum.padding(before: number))  "
            + "\(verdict.padding(to: word))  \(tensor)"
    }
}

extension Comparison.Summary {
    /// One line, below the table.
    public var text: String {
        let error = worst.flatMap(\.relativeError).map { error in
            ", largest relative error \(short(error)) in \(worst?.label ?? "")"
        }
        return "\(tensors) compared, \(different) different\(error ?? "")"
    }
}
