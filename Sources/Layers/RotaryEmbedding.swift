import Foundation

/// Rotary position embedding over frames, rows and columns: tables of (cos, sin), one for each pair of
/// channels of a head.
///
/// Of head / 2 pairs, columns and rows get head / 6 each and frames the rest; on an axis of m channels
/// pair k turns by x * 10000^(-2k / m) at position x. As in the released model, cos and sin are rounded to
/// float32 and then to float16. Angles are computed, so no table ends.
///
/// Source: `rope_params` and `rope_precompute` in
/// https://github.com/Alibaba-Quark/LiveAvatar/tree/9c2c38d/liveavatar/models/wan/wan_2_2
public struct RotaryEmbedding: Sendable {
    /// Channels of a head.
    public let head: Int
    /// Pairs that turn with frames, rows and columns.
    public let pairs: (frame: Int, row: Int, column: Int)

    /// The embedding for heads of `head` channels, an even number.
    public init(head: Int) {
        self.head = head
        let sixth = head / 6
        pairs = ((head - 4 * sixth) / 2, sixth, sixth)
    }

    /// (cos, sin) for each cell of the grid frames x rows x columns, [cells, head / 2, 2] in that order.
    public func table(frames: [Int], rows: [Int], columns: [Int]) -> [Float] {
        let frameAngles = frames.map { axis(position: $0, pairs: pairs.frame) }
        let rowAngles = rows.map { axis(position: $0, pairs: pairs.row) }
        let columnAngles = columns.map { axis(position: $0, pairs: pairs.column) }
        var table: [Float] = []
        table.reserveCapacity(frames.count * rows.count * columns.count * head)
        for frame in frameAngles {
            for row in rowAngles {
                for column in columnAngles {
                    table += frame
                    table += row
                    table += column
                }
            }
        }
        return table
    }

    /// (cos, sin) of each pair at a position: [pairs, 2].
    private func axis(position: Int, pairs: Int) -> [Float] {
        (0..<pairs).flatMap { pair in
            // The reciprocal first, as the released code rounds it.
            let angle = Double(position) * (1 / pow(10000, Double(2 * pair) / Double(2 * pairs)))
            return [rounded(cos(angle)), rounded(sin(angle))]
        }
    }

    private func rounded(_ value: Double) -> Float {
        Float(Float16(Float(value)))
    }
}
