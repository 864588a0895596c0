import Compute
import Layers
import Tensors

/// One block of the encoder: attention with a bias by relative position, then a gated feed-forward
/// part, both added to the float32 stream of tokens [tokens, dim].
struct UMT5Block {
    /// norm1.weight [dim]
    let norm1: RMSNorm
    /// attn.q.weight [attention, dim]
    let query: Linear
    /// attn.k.weight [attention, dim]
    let key: Linear
    /// attn.v.weight [attention, dim]
    let value: Linear
    /// attn.o.weight [dim, attention]
    let output: Linear
    /// pos_embedding.embedding.weight [buckets, heads]
    let positionBias: RelativePositionBias
    /// norm2.weight [dim]
    let norm2: RMSNorm
    /// ffn.gate.0.weight [feed-forward, dim]
    let gate: Linear
    /// ffn.fc1.weight [feed-forward, dim]
    let fc1: Linear
    /// ffn.fc2.weight [dim, feed-forward]
    let fc2: Linear
    /// All of the above.
    let parameters: [Parameter]

    private let heads: Int

    /// Added to the mean square in every norm.
    static let epsilon: Float = 1e-6

    /// The block at `scope`, which must be the root of no other parameters.
    init(_ scope: WeightScope, sizes: UMT5Sizes) {
        let (dim, attention, inner) = (sizes.dim, sizes.attentionDim, sizes.feedForwardDim)
        heads = sizes.heads
        norm1 = RMSNorm(scope.scope("norm1"), size: dim, epsilon: Self.epsilon)
        func matrix(_ name: String, from input: Int, to output: Int) -> Linear {
            Linear(scope.scope(name), from: input, to: output, bias: false, as: .matrix)
        }
        query = matrix("attn.q", from: dim, to: attention)
        key = matrix("attn.k", from: dim, to: attention)
        value = matrix("attn.v", from: dim, to: attention)
        output = matrix("attn.o", from: attention, to: dim)
        positionBias = RelativePositionBias(
            scope.scope("pos_embedding"), buckets: sizes.buckets, heads: sizes.heads)
        norm2 = RMSNorm(scope.scope("norm2"), size: dim, epsilon: Self.epsilon)
        gate = matrix("ffn.gate.0", from: dim, to: inner)
        fc1 = matrix("ffn.fc1", from: dim, to: inner)
        fc2 = matrix("ffn.fc2", from: inner, to: dim)
        parameters = scope.parameters
    }

    /// Passes the tokens x [tokens, dim] through the block in place. `buckets` (int32, [tokens²]) are the
    /// buckets of all queries and keys.
    func callAsFunction(_ x: Tensor, buckets: Tensor, on device: any Device) throws {
        try attend(x, buckets: buckets, on: device)
        try feedForward(x, on: device)
    }

    /// x += o(softmax(q kᵀ + bias) v) of the normalised tokens; the weights make up for 1 / sqrt(head).
    private func attend(_ x: Tensor, buckets: Tensor, on device: any Device) throws {
        let tokens = x.shape[0]
        let y = try norm1(x, on: device)
        func perHead(_ projection: Linear) throws -> Tensor {
            let width = projection.weight.shape[0]
            return try projection(y, on: device).reshaped([1, tokens, heads, width / heads])
        }
        let attended = try device.attention(
            query: perHead(query), key: perHead(key), value: perHead(value), scale: 1,
            bias: positionBias(buckets: buckets, length: tokens, on: device))
        let width = attended.shape[2] * attended.shape[3]
        try output.accumulate(attended.reshaped([tokens, width]), onto: x, on: device)
    }

    /// x += fc2(gelu(gate(y)) fc1(y)) of the normalised tokens y.
    private func feedForward(_ x: Tensor, on device: any Device) throws {
        let y = try norm2(x, on: device)
        let opening = try gate(y, on: device)
        let content = try fc1(y, on: device)
        try device.multiply(activating: opening, .geluTanh, by: content, into: opening)
        try fc2.accumulate(opening, onto: x, on: device)
    }
}
