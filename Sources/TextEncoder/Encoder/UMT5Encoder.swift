import Compute
import Layers
import Tensors

/// The UMT5 encoder: from token numbers to the text condition.
///
/// Dimensions, names and traps are in `MODEL.md`. Source: Chung et al., "UniMax", arXiv:2304.09151;
/// the architecture is T5 1.1's encoder with a position bias in every block.
public struct UMT5Encoder {
    /// Sizes that the weights told.
    public let sizes: UMT5Sizes

    /// token_embedding.weight [vocabulary, dim]
    let embedding: TokenEmbedding
    /// blocks.0, blocks.1, ...
    let blocks: [UMT5Block]
    /// norm.weight [dim]
    let norm: RMSNorm

    /// Claims the model's weights; throws `UnusableWeight` if they do not tell its sizes.
    public init(_ source: any WeightSource) throws(UnusableWeight) {
        let root = WeightScope(source)
        let sizes = try UMT5Sizes(root)
        self.sizes = sizes
        embedding = TokenEmbedding(
            root.scope("token_embedding"), vocabulary: sizes.vocabulary, dim: sizes.dim)
        // A root for each block, so that its parameters can be loaded and dropped apart.
        blocks = (0..<sizes.layers).map {
            UMT5Block(WeightScope(source).scope("blocks.\($0)"), sizes: sizes)
        }
        norm = RMSNorm(root.scope("norm"), size: sizes.dim, epsilon: UMT5Block.epsilon)
    }

    /// The context of a prompt: float32 [tokens, dim], one row per token and none for padding, which
    /// the released code masks out of the attention and then cuts off.
    ///
    /// Blocks are loaded one at a time and dropped after use unless `keepingWeights`, so that one
    /// block's weights are in memory and not the model's. Throws `UnknownToken`, and what the device,
    /// the weights and the monitor throw. Traps if there are no tokens.
    public func encode(
        _ tokens: [Int32], on device: any Device, keepingWeights: Bool = false,
        monitor: Monitor = { _ in }
    ) throws -> Tensor {
        try encode(
            tokens, on: device, keepingWeights: keepingWeights, monitor: monitor,
            observer: { _, _ in })
    }

    /// As above; `observer` is shown the tokens [tokens, dim] before the first block (-1) and after each.
    package func encode(
        _ tokens: [Int32], on device: any Device, keepingWeights: Bool, monitor: Monitor,
        observer: (Int, Tensor) throws -> Void
    ) throws -> Tensor {
        precondition(!tokens.isEmpty)
        let x = try embedding(tokens, on: device)
        try observer(-1, x)
        let buckets = try device.tensor(
            RelativePosition.buckets(length: tokens.count, among: sizes.buckets),
            [tokens.count * tokens.count], .int32)
        for (index, block) in blocks.enumerated() {
            try run(block, on: x, buckets: buckets, device: device, keepingWeights: keepingWeights)
            try observer(index, x)
            try monitor(Progress("layers", completed: index + 1, total: blocks.count))
        }
        return try normalized(x, on: device)
    }

    /// Throws `UnknownToken` unless every token up to this one is known, as it must be for the largest
    /// number of a tokenizer that belongs to the weights.
    public func check(largestToken: Int32) throws(UnknownToken) {
        try embedding.check(largestToken)
    }

    /// All weights: the table's, each block's, and the last norm's.
    package var parameters: [Parameter] {
        [embedding.table] + blocks.flatMap(\.parameters) + [norm.weight]
    }

    /// Lets go of all weights in the device's memory.
    public func unload() {
        blocks.flatMap(\.parameters).unload()
        norm.weight.unload()
    }

    private func run(
        _ block: UMT5Block, on x: Tensor, buckets: Tensor, device: any Device, keepingWeights: Bool
    ) throws {
        defer { if !keepingWeights { block.parameters.unload() } }
        try block.parameters.load(on: device)
        try block(x, buckets: buckets, on: device)
    }

    /// The final norm, in float32 whatever the activations are.
    private func normalized(_ x: Tensor, on device: any Device) throws -> Tensor {
        try norm.weight.load(on: device)
        let context = try device.allocate(x.shape, .float32)
        try norm.rotating(x, by: nil, into: context, on: device)
        return context
    }
}

extension UMT5Encoder {
    /// The bucket of a relative position `key - query`.
    package func bucket(of distance: Int) -> Int {
        RelativePosition.bucket(of: distance, among: sizes.buckets)
    }

    /// The position bias of one block, float32 [heads, length, length].
    package func positionBias(
        ofBlock index: Int, length: Int, on device: any Device
    ) throws -> Tensor {
        let bias = blocks[index].positionBias
        try bias.embedding.load(on: device)
        let buckets = RelativePosition.buckets(length: length, among: sizes.buckets)
        return try bias(
            buckets: device.tensor(buckets, [length * length], .int32), length: length, on: device)
    }
}
