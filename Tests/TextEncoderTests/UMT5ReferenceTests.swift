import ComputeCPU
import Tensors
import TestSupport
import Testing
import TextEncoder

/// A model of other sizes than the goldens' against a float64 implementation, so that nothing rests on
/// one set of sizes: an odd number of heads, an attention wider than the tokens, other buckets.
@Suite struct UMT5ReferenceTests {
    private static func shapes(layers: Int) -> [(String, Shape)] {
        let (vocabulary, dim, attention, inner, heads, buckets) = (97, 20, 36, 28, 3, 16)
        let blocks = (0..<layers).flatMap { layer -> [(String, Shape)] in
            let scope = "blocks.\(layer)."
            return [
                (scope + "norm1.weight", [dim]), (scope + "norm2.weight", [dim]),
                (scope + "attn.q.weight", [attention, dim]),
                (scope + "attn.k.weight", [attention, dim]),
                (scope + "attn.v.weight", [attention, dim]),
                (scope + "attn.o.weight", [dim, attention]),
                (scope + "pos_embedding.embedding.weight", [buckets, heads]),
                (scope + "ffn.gate.0.weight", [inner, dim]),
                (scope + "ffn.fc1.weight", [inner, dim]),
                (scope + "ffn.fc2.weight", [dim, inner]),
            ]
        }
        return [("token_embedding.weight", [vocabulary, dim]), ("norm.weight", [dim])] + blocks
    }

    /// Norms around 1, and queries small enough for what T5 leaves out of the attention, 1 / sqrt(head).
    private static func adjust(_ name: String) -> (scale: Float, offset: Float) {
        if name.contains("norm") { return (1, 1) }
        return name.hasSuffix("attn.q.weight") ? (0.3, 0) : (1, 0)
    }

    /// Observed: 5.5e-6 at most.
    @Test(arguments: [1, 2, 33, 150]) func agreesWithFloat64(length: Int) throws {
        let weights = SeededWeights(Self.shapes(layers: 3), seed: 5, adjust: Self.adjust)
        let encoder = try UMT5Encoder(weights)
        #expect(encoder.sizes.layers == 3 && encoder.sizes.heads == 3)
        let tokens = (0..<length).map { $0 * 31 % 97 }
        let device = try CPUDevice()
        let context = try device.floats(encoder.encode(tokens.map { Int32($0) }, on: device))
        let reference = ReferenceUMT5(weights: weights, dim: 20, heads: 3, layers: 3)
        let difference = largestDifference(context, reference.context(tokens).map { Float($0) })
        #expect(difference <= 1e-5, "\(difference)")
    }
}
