import Compute
import Layers
import Tensors

/// One layer of the transformer, normalised in front of each part: attention over all steps, then a
/// feed-forward part, both added to the float32 stream [steps, hidden].
struct EncoderLayer {
    /// layer_norm [hidden]
    let attentionNorm: LayerNorm
    /// attention.q_proj [hidden, hidden]
    let query: Linear
    /// attention.k_proj [hidden, hidden]
    let key: Linear
    /// attention.v_proj [hidden, hidden]
    let value: Linear
    /// attention.out_proj [hidden, hidden]
    let output: Linear
    /// final_layer_norm [hidden]
    let feedForwardNorm: LayerNorm
    /// feed_forward.intermediate_dense [intermediate, hidden]
    let intermediate: Linear
    /// feed_forward.output_dense [hidden, intermediate]
    let contraction: Linear

    private let heads: Int

    /// The layer at `scope`.
    init(_ scope: WeightScope, _ configuration: Wav2Vec2Configuration) {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let epsilon = configuration.layerNormEpsilon
        heads = configuration.heads
        attentionNorm = LayerNorm(scope.scope("layer_norm"), size: hidden, epsilon: epsilon)
        query = Linear(scope.scope("attention.q_proj"), from: hidden, to: hidden)
        key = Linear(scope.scope("attention.k_proj"), from: hidden, to: hidden)
        value = Linear(scope.scope("attention.v_proj"), from: hidden, to: hidden)
        output = Linear(scope.scope("attention.out_proj"), from: hidden, to: hidden)
        feedForwardNorm = LayerNorm(
            scope.scope("final_layer_norm"), size: hidden, epsilon: epsilon)
        intermediate = Linear(
            scope.scope("feed_forward.intermediate_dense"), from: hidden, to: inner)
        contraction = Linear(scope.scope("feed_forward.output_dense"), from: inner, to: hidden)
    }

    /// Passes the steps x [steps, hidden] through the layer in place.
    func callAsFunction(_ x: Tensor, on device: any Device) throws {
        try attend(x, on: device)
        try feedForward(x, on: device)
    }

    /// x += out(softmax(q kᵀ / sqrt(head)) v) of the normalised steps.
    private func attend(_ x: Tensor, on device: any Device) throws {
        let (steps, hidden) = (x.shape[0], x.shape[1])
        let y = try attentionNorm(x, on: device)
        func perHead(_ projection: Linear) throws -> Tensor {
            try projection(y, on: device).reshaped([1, steps, heads, hidden / heads])
        }
        let attended = try device.attention(
            query: perHead(query), key: perHead(key), value: perHead(value),
            scale: 1 / Float(hidden / heads).squareRoot())
        try output.accumulate(attended.reshaped([steps, hidden]), onto: x, on: device)
    }

    /// x += contraction(gelu(intermediate(y))) of the normalised steps y.
    private func feedForward(_ x: Tensor, on device: any Device) throws {
        let y = try feedForwardNorm(x, on: device)
        let inner = try intermediate(y, on: device, activation: .gelu)
        try contraction.accumulate(inner, onto: x, on: device)
    }
}
