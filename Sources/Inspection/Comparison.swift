import Artifacts
import Checkpoints
import Tensors

/// Compares two files, two streams block by block, or two folders of such things, tensor by tensor.
///
/// Formats and types may differ: a checkpoint in shards compares with the same one in a single file.
public struct Comparison {
    /// The largest relative error of tensors that count as the same.
    public let tolerance: Double
    /// The only tensor that counts; nil for all.
    public let tensor: String?

    /// A comparison up to a relative error, of all tensors or of those with one name.
    public init(tolerance: Double, tensor: String? = nil) {
        self.tolerance = tolerance
        self.tensor = tensor
    }

    /// What was found about one tensor.
    public struct Row: Sendable {
        /// The tensor, and the part of the stream or the file of the folder that it is in.
        public let label: String
        /// How the two sides differ.
        public let finding: Finding
        /// Whether they count as the same.
        public let isSame: Bool
    }

    /// How the two sides of a tensor differ.
    public enum Finding: Sendable {
        /// Both are there, with the same shape.
        case difference(Difference)
        /// The shapes, where they are not the same.
        case shapes(Shape, Shape)
        /// The path that lacks it.
        case missing(in: String)
    }

    /// What was found in all.
    public struct Summary: Sendable {
        /// Tensors on either side.
        public internal(set) var tensors = 0
        /// Tensors that do not count as the same.
        public internal(set) var different = 0
        /// The row with the largest relative error, if tensors could be compared.
        public internal(set) var worst: Row?
    }

    /// Compares two subjects, handing each row on as it is found.
    ///
    /// Throws `InspectionError` if they cannot be compared, as a file with a folder, or if neither has the
    /// tensor that was asked for, and what opening their files throws.
    public func run(
        _ subject: Subject, with other: Subject, _ show: (Row) throws -> Void
    ) throws -> Summary {
        var summary = Summary()
        try compare(subject, other, prefix: "") { row in
            summary.add(row)
            try show(row)
        }
        if let tensor, summary.tensors == 0 {
            throw InspectionError(
                subject.path, "there is no tensor '\(printable(tensor))', nor in '\(other.path)'")
        }
        return summary
    }
}

extension Comparison {
    private func compare(
        _ subject: Subject, _ other: Subject, prefix: String, _ show: (Row) throws -> Void
    ) throws {
        switch (subject.form, other.form) {
        case (.file, .file):
            try compare(
                openCheckpoint(at: subject.path), openCheckpoint(at: other.path), prefix, show)
        case (.stream, .stream):
            try compareStreams(subject, other, prefix, show)
        case (.folder(let names), .folder(let others)):
            for (name, side) in Self.match(names, others) {
                let paths = (join(subject.path, name), join(other.path, name))
                guard side == .both else {
                    let path = side == .first ? paths.1 : paths.0
                    try show(Row(label: plain(name), missingIn: path))
                    continue
                }
                try compare(
                    Subject(path: paths.0), Subject(path: paths.1), prefix: "\(name):", show)
            }
        default:
            throw InspectionError(
                subject.path,
                "cannot be compared with '\(other.path)': one is \(subject.noun), the other \(other.noun)"
            )
        }
    }

    private func compareStreams(
        _ subject: Subject, _ other: Subject, _ prefix: String, _ show: (Row) throws -> Void
    ) throws {
        func byName(_ subject: Subject) throws -> [String: Subject.Part] {
            Dictionary(uniqueKeysWithValues: try subject.parts().map { ($0.name, $0) })
        }
        let (parts, others) = (try byName(subject), try byName(other))
        for (name, _) in Self.match(Array(parts.keys), Array(others.keys)) {
            guard let part = parts[name], let otherPart = others[name] else {
                let path = parts[name] == nil ? subject.path : other.path
                try show(Row(label: prefix + name, missingIn: path))
                continue
            }
            try compare(part.open(), otherPart.open(), "\(prefix)\(name):", show)
        }
    }

    private func compare(
        _ file: any Checkpoint, _ other: any Checkpoint, _ prefix: String,
        _ show: (Row) throws -> Void
    ) throws {
        let names = file.tensors.map(\.name)
        for (name, _) in Self.match(names, other.tensors.map(\.name))
        where tensor == nil || tensor == name {
            let label = plain(prefix + name)
            guard let mine = file.descriptor(of: name), let theirs = other.descriptor(of: name)
            else {
                let path = file.descriptor(of: name) == nil ? file.path : other.path
                try show(Row(label: label, missingIn: path))
                continue
            }
            guard mine.shape == theirs.shape else {
                try show(
                    Row(label: label, finding: .shapes(mine.shape, theirs.shape), isSame: false))
                continue
            }
            file.advise(.sequential, name)
            other.advise(.sequential, name)
            let difference = Difference(of: try file.tensor(name), from: try other.tensor(name))
            try show(
                Row(
                    label: label, finding: .difference(difference),
                    isSame: difference.relativeError <= tolerance))
        }
    }

    /// Where a name is.
    private enum Side {
        case first
        case second
        case both
    }

    /// The names of both sides, sorted, and on which side each is.
    private static func match(_ names: [String], _ others: [String]) -> [(String, Side)] {
        let (first, second) = (Set(names), Set(others))
        return first.union(second).sorted().map { name in
            (name, !second.contains(name) ? .first : first.contains(name) ? .both : .second)
        }
    }
}

extension Comparison.Row {
    /// The row of something that one side lacks.
    fileprivate init(label: String, missingIn path: String) {
        self.init(label: label, finding: .missing(in: path), isSame: false)
    }

    /// ||a - b|| / ||b||; nil where the two could not be compared.
    public var relativeError: Double? {
        if case .difference(let difference) = finding { difference.relativeError } else { nil }
    }
}

extension Comparison.Summary {
    fileprivate mutating func add(_ row: Comparison.Row) {
        tensors += 1
        if !row.isSame { different += 1 }
        guard let error = row.relativeError, error >= worst?.relativeError ?? 0 else { return }
        worst = row
    }
}

extension Subject {
    /// What it is, for a message.
    fileprivate var noun: String {
        switch form {
        case .file: "a file"
        case .stream: "a stream"
        case .folder: "a folder of files"
        }
    }
}
