import Foundation
import TestSupport

/// UMT5's encoder written down plainly in float64, one number after the other, to judge the one that
/// runs on devices. It shares no code with it.
struct ReferenceUMT5 {
    let weights: SeededWeights
    let dim: Int
    let heads: Int
    let layers: Int

    /// The context of tokens, [tokens * dim].
    func context(_ tokens: [Int]) -> [Double] {
        let table = weights.doubles("token_embedding.weight")
        var x = tokens.map { Array(table[$0 * dim..<($0 + 1) * dim]) }
        for layer in 0..<layers {
            let scope = "blocks.\(layer)."
            let attended = attention(x.map { normalized($0, scope + "norm1.weight") }, scope)
            x = zip(x, attended).map { zip($0, $1).map(+) }
            let fed = x.map { feedForward(normalized($0, scope + "norm2.weight"), scope) }
            x = zip(x, fed).map { zip($0, $1).map(+) }
        }
        return x.flatMap { normalized($0, "norm.weight") }
    }

    /// The bucket of key - query: one for each direction and distance below a quarter of all, then eight
    /// (of 32) up to 128 by the logarithm.
    static func bucket(_ distance: Int, _ buckets: Int) -> Int {
        let side = distance > 0 ? buckets / 2 : 0
        let far = Double(abs(distance))
        let exact = Double(buckets / 4)
        if far < exact { return side + abs(distance) }
        // Nudged, since distances on a border belong to the upper bucket.
        let share = log(far / exact) / log(128 / exact) + 1e-9
        return side + min(buckets / 2 - 1, buckets / 4 + Int(share * exact))
    }

    private func normalized(_ x: [Double], _ name: String) -> [Double] {
        let square = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
        return zip(x, weights.doubles(name)).map { $0 / sqrt(square + 1e-6) * $1 }
    }

    private func product(_ x: [Double], _ name: String) -> [Double] {
        let weight = weights.doubles(name)
        return (0..<weight.count / x.count).map { row in
            x.indices.reduce(0) { $0 + x[$1] * weight[row * x.count + $1] }
        }
    }

    private func attention(_ x: [[Double]], _ scope: String) -> [[Double]] {
        let query = x.map { product($0, scope + "attn.q.weight") }
        let key = x.map { product($0, scope + "attn.k.weight") }
        let value = x.map { product($0, scope + "attn.v.weight") }
        let bias = weights.doubles(scope + "pos_embedding.embedding.weight")
        let width = query[0].count / heads
        return x.indices.map { i in
            let joined = (0..<heads).flatMap { head -> [Double] in
                let channels = head * width..<(head + 1) * width
                let scores = x.indices.map { j in
                    let bucket = Self.bucket(j - i, bias.count / heads)
                    return channels.reduce(bias[bucket * heads + head]) {
                        $0 + query[i][$1] * key[j][$1]
                    }
                }
                let powers = scores.map { exp($0 - scores.max()!) }
                let sum = powers.reduce(0, +)
                return channels.map { c in
                    x.indices.reduce(0) { $0 + powers[$1] / sum * value[$1][c] }
                }
            }
            return product(joined, scope + "attn.o.weight")
        }
    }

    private func feedForward(_ x: [Double], _ scope: String) -> [Double] {
        let gate = product(x, scope + "ffn.gate.0.weight").map { g in
            0.5 * g * (1 + tanh(sqrt(2 / Double.pi) * (g + 0.044715 * g * g * g)))
        }
        let inner = zip(gate, product(x, scope + "ffn.fc1.weight")).map(*)
        return product(inner, scope + "ffn.fc2.weight")
    }
}
