import Compute
import Tensors

/// How the scores of an attention, [heads, queries, keys], are divided so that a part of them fits in the memory
/// set apart for it.
package struct ScoreChunks: Equatable {
    /// Elements from one query's scores to the next's: the keys and what fills up 16 bytes of bfloat16.
    package let rowStride: Int
    /// Queries done together.
    package let length: Int

    /// The most bytes of scores at once.
    package static let limit = 256 << 20
    /// Chunks shorter than all queries are multiples of this where they can be, for the sake of products' tiles.
    package static let tile = 64

    /// The chunks for float32 scores of `heads` x `queries` x `keys`.
    package init(heads: Int, queries: Int, keys: Int, limit: Int = Self.limit) {
        let granule = AttentionProblem.granule
        rowStride = (keys + granule - 1) / granule * granule
        let fitting = max(1, limit / (heads * rowStride * DataType.float32.size))
        length = min(queries, fitting >= Self.tile ? fitting / Self.tile * Self.tile : fitting)
    }

    /// The ranges of queries, in order.
    package func ranges(queries: Int) -> [Range<Int>] {
        stride(from: 0, to: queries, by: length).map { $0..<min($0 + length, queries) }
    }
}
