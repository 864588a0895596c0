import Compute
import Glibc
import Layers
import Tensors

/// Buckets of distances between tokens: near ones have a bucket each, far ones share them by the
/// logarithm, and there is one set for each direction.
///
/// Source: Raffel et al., arXiv:1910.10683, section 2.1; the numbers are those of the released model.
enum RelativePosition {
    /// From this distance on everything shares the last bucket of its direction.
    static let maximumDistance = 128

    /// The bucket of `key - query`, one of `buckets`.
    ///
    /// Computed in float32 as the released code does, since distances that are powers of two lie on the
    /// border of two buckets.
    static func bucket(of distance: Int, among buckets: Int) -> Int {
        let half = buckets / 2
        let exact = half / 2
        let first = distance > 0 ? half : 0
        let length = abs(distance)
        guard length >= exact else { return first + length }
        let logarithm = log(Float(length) / Float(exact))
        let range = Float(log(Double(maximumDistance) / Double(exact)))
        let logarithmic = exact + Int(logarithm / range * Float(half - exact))
        return first + min(half - 1, logarithmic)
    }

    /// The buckets of every query and key, [length, length] in row-major order.
    static func buckets(length: Int, among buckets: Int) -> [Int32] {
        let table = (1 - length..<length).map { Int32(bucket(of: $0, among: buckets)) }
        return (0..<length).flatMap { query in
            table[(length - 1 - query)..<(2 * length - 1 - query)]
        }
    }
}

/// The learned bias of attention by relative position; each block has its own.
struct RelativePositionBias {
    /// embedding.weight [buckets, heads]
    let embedding: Parameter

    /// The bias at `scope`, whose name is "embedding.weight".
    init(_ scope: WeightScope, buckets: Int, heads: Int) {
        embedding = scope.parameter("embedding.weight", [buckets, heads])
    }

    /// The bias [heads, length, length] for the buckets (int32, [length²]) of all queries and keys.
    func callAsFunction(
        buckets: Tensor, length: Int, on device: any Device
    ) throws -> Tensor {
        let heads = embedding.shape[1]
        let rows = try device.allocate([length * length, heads], .float32)
        try device.gather(embedding.tensor, rows: buckets, into: rows)
        return try device.permuted(rows, axes: [1, 0]).reshaped([heads, length, length])
    }
}
