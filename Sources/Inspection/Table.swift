import Foundation
import Tensors

/// Columns for people and for `awk`: cells without blanks but in the first, numbers to the right.
public struct Table: Sendable {
    /// A column's head, least width and side.
    public struct Column: Sendable {
        let name: String
        let width: Int
        let isNumber: Bool

        /// A column that is at least as wide as `cells`.
        init(_ name: String, cells: [String] = [], width: Int = 0, isNumber: Bool = false) {
            self.name = name
            self.width = cells.reduce(max(width, name.count)) { max($0, $1.count) }
            self.isNumber = isNumber
        }
    }

    let columns: [Column]

    /// The line of the columns' heads.
    public var head: String { line(columns.map(\.name)) }

    /// A row.
    public func line(_ cells: [String]) -> String {
        let padded = zip(cells, columns).map { cell, column in
            column.isNumber
                ? cell.padding(before: column.width) : cell.padding(to: column.width)
        }
        let line = padded.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}

extension Table {
    /// The table of tensors, with a column for each statistic if asked for.
    public init(of tensors: [Overview.Row], withStatistics: Bool) {
        columns =
            [
                Column("tensor", cells: tensors.map(\.label)),
                Column("type", cells: tensors.map(\.tensor.dataType.description)),
                Column("shape", cells: tensors.map { compact($0.tensor.shape) }),
                Column("bytes", cells: tensors.map { "\($0.tensor.byteCount)" }, isNumber: true),
            ]
            + (withStatistics
                ? ["min", "max", "mean", "deviation"].map {
                    Column($0, width: 12, isNumber: true)
                } + ["zeros", "nan", "inf"].map { Column($0, width: 5, isNumber: true) } : [])
    }

    /// A tensor's row.
    public func line(_ row: Overview.Row, _ statistics: Statistics? = nil) -> String {
        let cells = [
            row.label, row.tensor.dataType.description, compact(row.tensor.shape),
            "\(row.tensor.byteCount)",
        ]
        return line(cells + (statistics?.cells ?? []))
    }
}

extension Statistics {
    /// The cells of a row; "-" where there is no finite number.
    fileprivate var cells: [String] {
        [minimum, maximum, mean, deviation].map { $0.map(short) ?? "-" }
            + [zeros, nans, infinities].map(String.init)
    }
}

/// A shape without blanks.
private func compact(_ shape: Shape) -> String {
    "[" + shape.dimensions.map(String.init).joined(separator: ",") + "]"
}

/// A number of six digits, as in `0.0178923` and `3.4e+38`.
func short(_ number: Double) -> String { String(format: "%.6g", number) }

/// A number without a fraction of zero.
func shortest(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? String(number)
}

extension String {
    /// The text with blanks behind it, up to a width.
    func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    /// The text with blanks before it, up to a width.
    func padding(before width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
