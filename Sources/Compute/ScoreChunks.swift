import Tensors

/// How a card divides the scores of an attention that goes by products, [heads, queries, keys], so that a part of them fits in the
/// memory set apart for it.
package struct ScoreChunks: Equatable {
    /// Elements from one query's scores to the next's: the keys and what fills up 16 bytes of bfloat16.
    package let rowStride: Int
    /// Queries done together.
    package let length: Int
    /// Elements of the scores of all heads to the queries done together.
    package let count: Int

    /// The most bytes of scores at once.
    package static let limit = 256 << 20
    /// Chunks shorter than all queries are multiples of this where they can be, for the sake of products' tiles.
    package static let tile = 64
    /// Elements of bfloat16 in 16 bytes.
    private static let granule = 8

    /// The chunks for float32 scores of `heads` x `queries` x `keys`.
    package init(heads: Int, queries: Int, keys: Int, limit: Int = Self.limit) {
        rowStride = keys.roundedUp(to: Self.granule)
        let fitting = max(1, limit / (heads * rowStride * DataType.float32.size))
        length = min(queries, fitting >= Self.tile ? fitting / Self.tile * Self.tile : fitting)
        count = heads * length * rowStride
    }

    /// Bytes of the blocks that are held at once: scores, and unless they are float32, too, weights of that type in place of them.
    func blocks(_ dataType: DataType) -> [Int] {
        let scores = count * DataType.float32.size
        return dataType == .float32 ? [scores] : [scores, count * dataType.size]
    }

    /// The ranges of queries, in order.
    package func ranges(queries: Int) -> [Range<Int>] {
        stride(from: 0, to: queries, by: length).map { $0..<min($0 + length, queries) }
    }
}
