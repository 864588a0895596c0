import Foundation

/// Rows of float64 numbers, for a reference that is read and not fast.
typealias Matrix = [[Double]]

/// x weightᵀ + bias for a weight of `bias.count` rows, flattened.
func linear(_ x: Matrix, _ weight: [Double], _ bias: [Double]) -> Matrix {
    x.map { row in
        bias.indices.map { output in
            var sum = bias[output]
            let start = output * row.count
            for input in row.indices { sum += row[input] * weight[start + input] }
            return sum
        }
    }
}

/// Each row less its mean, over its standard deviation.
func layerNorm(_ x: Matrix, epsilon: Double) -> Matrix {
    x.map { row in
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        return row.map { ($0 - mean) / (variance + epsilon).squareRoot() }
    }
}

/// Each row over its root mean square, times the weight.
func rmsNorm(_ x: Matrix, _ weight: [Double], epsilon: Double) -> Matrix {
    x.map { row in
        let square = row.reduce(0) { $0 + $1 * $1 } / Double(row.count)
        return row.indices.map { row[$0] / (square + epsilon).squareRoot() * weight[$0] }
    }
}

/// softmax(q kᵀ / sqrt(d)) v for each head of d channels.
func attention(_ queries: Matrix, _ keys: Matrix, _ values: Matrix, heads: Int) -> Matrix {
    let width = queries[0].count / heads
    return queries.map { query in
        var result = [Double](repeating: 0, count: query.count)
        for head in 0..<heads {
            let channels = head * width..<(head + 1) * width
            var logits = keys.map { key in
                channels.reduce(0) { $0 + query[$1] * key[$1] } / Double(width).squareRoot()
            }
            let largest = logits.max() ?? 0
            logits = logits.map { exp($0 - largest) }
            let sum = logits.reduce(0, +)
            for (weight, value) in zip(logits, values) {
                for channel in channels { result[channel] += weight / sum * value[channel] }
            }
        }
        return result
    }
}

/// The sum of two matrices, element by element.
func sum(_ a: Matrix, _ b: Matrix) -> Matrix { zip(a, b).map { zip($0, $1).map { $0 + $1 } } }

func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

func geluTanh(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

/// The pair of a head's channels that a position turns, rounded as the released model rounds it.
struct Turn {
    let cosine: Double
    let sine: Double

    /// Pair `pair` of an axis of `width` channels at a position.
    init(position: Int, pair: Int, width: Int) {
        let angle = Double(position) * pow(10000, -2 * Double(pair) / Double(width))
        cosine = Double(Float16(Float(cos(angle))))
        sine = Double(Float16(Float(sin(angle))))
    }
}

/// A token's place: frame, row, column.
struct Place {
    let frame: Int
    let row: Int
    let column: Int

    /// The turns of a head's pairs: first those of frames, then of rows, then of columns.
    func turns(head: Int) -> [Turn] {
        let side = 2 * (head / 6)
        let axes = [(frame, head - 2 * side), (row, side), (column, side)]
        return axes.flatMap { position, width in
            (0..<width / 2).map { Turn(position: position, pair: $0, width: width) }
        }
    }
}

/// Each row's heads turned by its token's place.
func rotate(_ x: Matrix, _ places: [Place], heads: Int) -> Matrix {
    zip(x, places).map { row, place in
        var row = row
        let width = row.count / heads
        for (pair, turn) in place.turns(head: width).enumerated() {
            for head in 0..<heads {
                let first = head * width + 2 * pair
                let (a, b) = (row[first], row[first + 1])
                row[first] = a * turn.cosine - b * turn.sine
                row[first + 1] = a * turn.sine + b * turn.cosine
            }
        }
        return row
    }
}
