import Compute
import Layers
import Tensors

/// One of the transformer's blocks: self-attention over the window and the conditioning,
/// cross-attention over the text, feed-forward.
struct TransformerBlock {
    let epsilon: Float
    /// [1, 6, dim]: shift, scale and gate of self-attention, then of feed-forward.
    let modulation: Parameter
    let selfAttention: SelfAttention
    let textNorm: LayerNorm
    let textAttention: TextAttention
    let expand: Linear
    let contract: Linear

    /// The block at `scope`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        epsilon = configuration.epsilon
        modulation = scope.parameter("modulation", [1, 6, dim])
        selfAttention = SelfAttention(scope.scope("self_attn"), configuration: configuration)
        textNorm = LayerNorm(scope.scope("norm3"), size: dim, epsilon: epsilon)
        textAttention = TextAttention(scope.scope("cross_attn"), configuration: configuration)
        expand = Linear(
            scope.scope("ffn.0"), from: dim, to: configuration.feedForward, as: .matrix)
        contract = Linear(
            scope.scope("ffn.2"), from: configuration.feedForward, to: dim, as: .matrix)
    }

    /// What every pass reads. The modulation is not among them, as it is read once for each timestep.
    var passParameters: [Parameter] {
        selfAttention.parameters + textNorm.parameters + textAttention.passParameters
            + expand.parameters + contract.parameters
    }

    /// This block's modulations with those of a timestep [6, dim] added.
    func modulation(with common: Tensor, on device: any Device) throws -> BlockModulation {
        let rows = try device.allocate(common.shape, .float32)
        try device.add(
            modulation.tensor.reshaped(common.shape), common, gate: nil, mask: nil, alpha: 1,
            into: rows)
        return BlockModulation(rows: rows)
    }

    /// Takes the tokens x [tokens, dim] through the block in place. `attend` is the self-attention:
    /// from the modulated tokens to attended values [tokens, dim], before the output projection.
    func callAsFunction(
        _ x: Tensor, modulation: BlockModulation, text: KeysAndValues, on device: any Device,
        attend: (Tensor) throws -> Tensor
    ) throws {
        let rows = x.shape[0]
        let forAttention = try selfAttention.queryAndKey.input(rows: rows, on: device)
        try device.layerNorm(
            x, weight: nil, bias: nil, scale: modulation.attentionScale,
            shift: modulation.attentionShift, epsilon: epsilon, into: forAttention)
        let attended = try attend(forAttention)
        try device.accumulate(
            selfAttention.output(attended, on: device), gate: modulation.attentionGate, onto: x)

        let forText = try textAttention.query.input(rows: rows, on: device)
        try textNorm(x, into: forText, on: device)
        let fromText = try textAttention(forText, over: text, on: device)
        try textAttention.output.accumulate(fromText, onto: x, on: device)

        let forFeedForward = try expand.input(rows: rows, on: device)
        try device.layerNorm(
            x, weight: nil, bias: nil, scale: modulation.feedForwardScale,
            shift: modulation.feedForwardShift, epsilon: epsilon, into: forFeedForward)
        let hidden = try contract.input(rows: rows, on: device)
        try expand(forFeedForward, activation: .geluTanh, into: hidden, on: device)
        try device.accumulate(
            contract(hidden, on: device), gate: modulation.feedForwardGate, onto: x)
    }
}

/// The modulations of one block at one timestep, [6, dim].
struct BlockModulation {
    let rows: Tensor

    var attentionShift: Tensor { rows.rows(0..<1) }
    var attentionScale: Tensor { rows.rows(1..<2) }
    var attentionGate: Tensor { rows.rows(2..<3) }
    var feedForwardShift: Tensor { rows.rows(3..<4) }
    var feedForwardScale: Tensor { rows.rows(4..<5) }
    var feedForwardGate: Tensor { rows.rows(5..<6) }
}

/// Keys and values of one layer, each [tokens, heads, head].
package struct KeysAndValues {
    package let keys: Tensor
    package let values: Tensor
}

/// The projections of self-attention. Queries and keys are normed over the full width before they
/// are split into heads.
struct SelfAttention {
    let heads: Int
    /// Queries and keys as one product; values go straight into the window.
    let queryAndKey: Linear
    let value: Linear
    let output: Linear
    let queryNorm: RMSNorm
    let keyNorm: RMSNorm

    /// The projections under `self_attn`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        heads = configuration.heads
        queryAndKey = Linear(scope, stacking: ["q", "k"], from: dim, to: dim, as: .matrix)
        value = Linear(scope.scope("v"), from: dim, to: dim, as: .matrix)
        output = Linear(scope.scope("o"), from: dim, to: dim, as: .matrix)
        queryNorm = RMSNorm(
            scope.scope("norm_q"), size: dim, epsilon: configuration.epsilon)
        keyNorm = RMSNorm(scope.scope("norm_k"), size: dim, epsilon: configuration.epsilon)
    }

    /// Every parameter.
    var parameters: [Parameter] {
        queryAndKey.parameters + value.parameters + output.parameters
            + [queryNorm.weight, keyNorm.weight]
    }

    /// The queries of x [tokens, dim], turned by `rotation`: [tokens, dim], of 8 bits if there is a `scale` for them. Keys,
    /// turned if `keyRotation` is given, go to `keys` and values to `values`, both [tokens, heads, head].
    func project(
        _ x: Tensor, rotation: Tensor, keyRotation: Tensor?, keys: Tensor, values: Tensor,
        scale: Tensor?, on device: any Device
    ) throws -> Tensor {
        let (tokens, dim) = (x.shape[0], x.shape[1])
        let both = try queryAndKey(x, on: device)
        let queries =
            try scale.map { try device.allocate([tokens, dim], .float8E4M3).scaled(byOne: $0) }
            ?? device.allocate([tokens, dim], device.activationType)
        try queryNorm.rotating(both.columns(0..<dim), by: rotation, into: queries, on: device)
        try keyNorm.rotating(
            both.columns(dim..<2 * dim), by: keyRotation, into: keys.reshaped([tokens, dim]),
            on: device)
        try value(x, into: values.reshaped([tokens, dim]), on: device)
        return queries
    }

    /// The attention of queries [tokens, dim] over keys and values [keys, heads, head]: [tokens,
    /// dim].
    func attend(
        _ queries: Tensor, over context: KeysAndValues, on device: any Device
    ) throws -> Tensor {
        try splitHeadsAttention(queries, over: context, heads: heads, on: device)
    }
}

/// Attention over the text's keys and values, which are the same for a whole run.
struct TextAttention {
    let heads: Int
    let query: Linear
    let key: Linear
    let value: Linear
    let output: Linear
    let queryNorm: RMSNorm
    let keyNorm: RMSNorm

    /// The projections under `cross_attn`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        heads = configuration.heads
        func matrix(_ name: String) -> Linear {
            Linear(scope.scope(name), from: dim, to: dim, as: .matrix)
        }
        (query, key, value, output) = (matrix("q"), matrix("k"), matrix("v"), matrix("o"))
        queryNorm = RMSNorm(
            scope.scope("norm_q"), size: dim, epsilon: configuration.epsilon)
        keyNorm = RMSNorm(scope.scope("norm_k"), size: dim, epsilon: configuration.epsilon)
    }

    /// What every pass reads.
    var passParameters: [Parameter] {
        query.parameters + output.parameters + [queryNorm.weight]
    }

    /// What the keys and values of the text are made with.
    var textParameters: [Parameter] { key.parameters + value.parameters + [keyNorm.weight] }

    /// The keys and values of text tokens [tokens, dim].
    func keysAndValues(of text: Tensor, on device: any Device) throws -> KeysAndValues {
        let (tokens, dim) = (text.shape[0], text.shape[1])
        let split: Shape = [tokens, heads, dim / heads]
        let keys = try key(text, on: device)
        return try device.holding(.long) {
            KeysAndValues(
                keys: try keyNorm(keys, on: device).reshaped(split),
                values: try value(text, on: device).reshaped(split))
        }
    }

    /// What the tokens x [tokens, dim] find in the text, before the output projection.
    func callAsFunction(
        _ x: Tensor, over text: KeysAndValues, on device: any Device
    ) throws -> Tensor {
        let queries = try queryNorm(query(x, on: device), on: device)
        return try splitHeadsAttention(queries, over: text, heads: heads, on: device)
    }
}

/// softmax(q kᵀ / sqrt(head)) v for queries [tokens, dim] split into heads: [tokens, dim].
private func splitHeadsAttention(
    _ queries: Tensor, over context: KeysAndValues, heads: Int, on device: any Device
) throws -> Tensor {
    let (tokens, dim) = (queries.shape[0], queries.shape[1])
    let keys = context.keys
    let batched = Shape([1] + keys.shape.dimensions)
    return try device.attention(
        query: queries.reshaped([1, tokens, heads, dim / heads]), key: keys.reshaped(batched),
        value: context.values.reshaped(batched), scale: 1 / Float(dim / heads).squareRoot()
    ).reshaped([tokens, dim])
}
