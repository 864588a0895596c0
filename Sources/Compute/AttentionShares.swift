import Tensors

/// How a Hopper card's blocks of threads share an attention with heads of 128 channels: tiles of 128 queries of a head, each in
/// steps of some keys. Two blocks, a cluster, do two tiles at a time. Every cluster does equally many whole pairs; the steps of those
/// left over are shared out evenly.
public struct AttentionShares: Hashable, Sendable {
    /// Tiles of a head.
    public let tilesOfHead: Int
    /// Pairs of tiles: of one head, and what is left over of two heads.
    public let pairs: Int
    /// Steps of a tile.
    public let steps: Int
    /// Clusters.
    public let clusters: Int

    /// Channels of a head.
    public static let head = 128
    /// Queries of a tile.
    public static let queryRows = 128
    /// Clusters at most: half as many as the largest Hopper cards have multiprocessors.
    public static let mostClusters = 66

    /// The shares of an attention in bfloat16 or float8_e4m3 on a card with so many multiprocessors.
    public init(
        queries: Int, keys: Int, heads: Int, dataType: DataType,
        multiprocessors: Int = 2 * mostClusters
    ) {
        func parts(_ count: Int, of length: Int) -> Int { (count + length - 1) / length }
        tilesOfHead = parts(queries, of: Self.queryRows)
        pairs = tilesOfHead / 2 * heads + parts(tilesOfHead % 2 * heads, of: 2)
        steps = parts(keys, of: Self.keys(of: dataType))
        clusters = max(
            1, min(multiprocessors / 2, Self.mostClusters, pairs * steps / Self.fewestSteps))
    }

    /// Steps that a cluster does at least: adding its sums to those of others would take longer than fewer.
    private static let fewestSteps = 8

    /// Keys of a step: what registers and shared memory hold.
    public static func keys(of dataType: DataType) -> Int { dataType == .bfloat16 ? 176 : 192 }

    /// Pairs that single clusters do from end to end, the first ones.
    public var wholePairs: Int { pairs / clusters * clusters }
    /// Steps of the other pairs that a cluster does: never more than a pair has.
    public var share: Int { ((pairs - wholePairs) * steps + clusters - 1) / clusters }

    /// Bytes of what shares leave, those of two pairs from each cluster: for each row 128 sums, the largest score and the sum of
    /// weights.
    public var sumBytes: Int { pairs == wholePairs ? 0 : Self.sumBytes(clusters: clusters) }
    /// The most that any attention needs on any card.
    public static var mostSumBytes: Int { sumBytes(clusters: mostClusters) }

    private static func sumBytes(clusters: Int) -> Int {
        4 * clusters * queryRows * (head + 2) * DataType.float32.size
    }
}

extension CardAbilities {
    /// Keys from which on this project's kernel is faster than cuDNN's in bfloat16.
    private static let manyKeys = 1024

    /// Whether this project's own kernel attends to keys [batch, keys, heads, head]; in 8 bits however few they are.
    public func attendsItself(key: Tensor) -> Bool {
        guard hasNarrowAttention(head: key.shape[3]) else { return false }
        return key.dataType == .float8E4M3
            || key.dataType == .bfloat16 && key.shape[1] >= Self.manyKeys
    }

    /// Whether it reads values of 8 bits with heads of this width in tiles.
    public func wantsTiledValues(head: Int) -> Bool { hasNarrowAttention(head: head) }

    /// Bytes of the blocks that it holds at once, in the order in which they are allocated, on the largest card.
    func attentionBlocks(value: Tensor) -> [Int] {
        let isReady = value.dataType == .bfloat16 || value.isTiled
        let tiled =
            value.shape[1].roundedUp(to: Tensor.tileRows) * value.shape[2] * value.shape[3]
        return (isReady ? [] : [tiled]) + [AttentionShares.mostSumBytes]
    }
}
