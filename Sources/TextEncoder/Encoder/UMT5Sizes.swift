import Layers

/// The sizes of a UMT5 encoder, all told by the shapes of its weights.
public struct UMT5Sizes: Hashable, Sendable {
    /// Rows of the embedding table: tokens the model knows, and padding.
    public let vocabulary: Int
    /// Width of a token between the blocks, and of the context.
    public let dim: Int
    /// Width of queries, keys and values of all heads.
    public let attentionDim: Int
    /// Heads of the attention.
    public let heads: Int
    /// Width inside the gated feed-forward part.
    public let feedForwardDim: Int
    /// Buckets of relative positions, both directions together.
    public let buckets: Int
    /// Number of blocks.
    public let layers: Int

    /// The sizes that the weights at `scope` tell; throws `UnusableWeight` where they do not.
    init(_ scope: WeightScope) throws(UnusableWeight) {
        let embedding = try scope.shape(of: "token_embedding.weight", rank: 2)
        let bias = try scope.shape(of: Self.biasName, rank: 2)
        (vocabulary, dim) = (embedding[0], embedding[1])
        (buckets, heads) = (bias[0], bias[1])
        attentionDim = try scope.rows(
            of: "blocks.0.attn.q.weight", rank: 2, as: "blocks.0.attn.k.weight")
        feedForwardDim = try scope.rows(
            of: "blocks.0.ffn.gate.0.weight", rank: 2, as: "blocks.0.ffn.fc1.weight")
        layers = scope.count(
            of: "blocks", having: ["norm1.weight", "attn.q.weight", "norm2.weight"])
        // Half of the buckets serve each direction, and half of those are exact.
        guard buckets >= 4, buckets % 4 == 0 else {
            throw scope.unusable(Self.biasName, "has \(buckets) buckets, expected a multiple of 4")
        }
        guard attentionDim % heads == 0 else {
            throw scope.unusable(
                Self.biasName, "has \(heads) heads, which do not divide \(attentionDim) queries")
        }
    }

    private static let biasName = "blocks.0.pos_embedding.embedding.weight"
}
