import Artifacts
import Checkpoints
import Tensors

/// The listing of one file or stream, written line by line.
public struct Listing {
    /// What the headers tell.
    public let overview: Overview
    /// The tensors that are listed: with statistics, those of every block of a stream.
    public let rows: [Overview.Row]

    private let parts: [Subject.Part]
    private let withStatistics: Bool

    /// Reads headers, and those of all blocks where their numbers are asked for. Traps at a folder.
    ///
    /// `tensor` is the only name to list; nil for all. Throws `SystemError`, `TensorFileError` or
    /// `ArtifactError`.
    public init(of subject: Subject, withStatistics: Bool, tensor: String? = nil) throws {
        overview = try Overview(of: subject)
        self.withStatistics = withStatistics
        parts = withStatistics ? try subject.parts() : []
        let all: [Overview.Row] =
            overview.stream == nil || !withStatistics
            ? overview.tensors
            : try parts.flatMap { part in
                try part.open().tensors.map {
                    Overview.Row(label: part.label($0.name), tensor: $0)
                }
            }
        rows = all.filter { tensor == nil || $0.tensor.name == tensor }
    }

    /// Hands on the lines as they are found, `progress` with each tensor before its numbers are read.
    ///
    /// Throws what opening files and `show` throw.
    public func write(
        asJSON: Bool, progress: (String) -> Void = { _ in }, to show: (String) throws -> Void
    ) throws {
        if asJSON {
            var statistics: [Statistics] = []
            try readStatistics(progress) { statistics.append($1) }
            try show(Report.line(overview, rows: rows, statistics: statistics))
            return
        }
        for line in overview.head { try show(line) }
        guard !rows.isEmpty else { return }
        let table = Table(of: rows, withStatistics: withStatistics)
        try show("")
        try show(table.head)
        if withStatistics {
            try readStatistics(progress) { try show(table.line($0, $1)) }
        } else {
            for row in rows { try show(table.line(row)) }
        }
    }

    /// Reads the numbers of every row, in order.
    private func readStatistics(
        _ progress: (String) -> Void, _ show: (Overview.Row, Statistics) throws -> Void
    ) throws {
        guard withStatistics else { return }
        var rest = rows[...]
        for part in parts {
            let file = try part.open()
            for tensor in file.tensors where rest.first?.tensor == tensor {
                guard let row = rest.popFirst() else { return }
                progress(row.label)
                file.advise(.sequential, tensor.name)
                try show(row, Statistics(of: file.tensor(tensor.name)))
            }
        }
    }
}
