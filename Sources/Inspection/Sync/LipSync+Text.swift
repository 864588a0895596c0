import Foundation

extension LipSync {
    /// A table of the measures, a line each.
    public var text: String {
        let rows: [(String, (Measures) -> String)] = [
            ("correlation", { Self.fixed($0.correlation, 3) }),
            ("best correlation", { Self.fixed($0.bestCorrelation, 3) }),
            ("lag, frames", { "\($0.lag)" }),
            ("openness, pixels", { Self.fixed($0.openness, 1) }),
            ("sharpness, levels", { Self.fixed($0.sharpness, 2) }),
            ("colour change, levels", { Self.fixed($0.colourChange, 2) }),
        ]
        let seconds = Self.fixed(Double(frames) / framesPerSecond, 1)
        let title = "\(frames) frames, \(seconds) s"
        let table = Table(
            columns: [Table.Column("", cells: rows.map(\.0) + [title])]
                + ["whole", "first part", "last part"].map {
                    Table.Column($0, width: 8, isNumber: true)
                })
        let lines = rows.map { name, value in
            table.line([name] + [whole, first, last].map(value))
        }
        return ([table.line([title, "whole", "first part", "last part"])] + lines)
            .joined(separator: "\n")
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}
