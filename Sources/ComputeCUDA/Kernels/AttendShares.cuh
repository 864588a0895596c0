// In front of Attend.cu: what a call computes, and which tiles and steps of it a cluster, two blocks, does. `AttentionShares` in
// Swift counts the same.

#if __CUDA_ARCH__ == 900

/// What a call computes.
struct Attendance {
    /// Heads, and tiles of one.
    int heads, tilesOfHead;
    int queries, keys;
    /// Pairs of tiles, and steps of each.
    int pairs, steps;
    /// Pairs that a cluster does from end to end. They come first; of the others each cluster does `share` steps.
    int wholePairs, share;
    /// scale log2(e).
    float factor;
};

namespace attend {

/// Queries of a tile, 64 for each of two warp groups.
constexpr int queryRows = 128;
/// Numbers that a tile's share leaves: for each query 128 sums, the largest score and the sum of weights.
constexpr int partFloats = queryRows * 130;

/// Scales of 8-bit tensors, on the card; of others all are null.
struct Scales {
    const float *query, *key, *value, *out;

    __device__ __forceinline__ float ofScores() const { return query ? *query * *key : 1.0f; }
    __device__ __forceinline__ float ofSums() const { return value ? *value / *out : 1.0f; }
};

/// The tile of a block of a cluster.
struct Tile {
    int head, row;
    /// Whether that of the other block is of the same head.
    bool isShared;

    /// First pairs of the same head; then the last tiles of two heads, where a head has an odd number. The last head's may
    /// be done twice.
    __device__ __forceinline__ Tile(const Attendance& a, int pair, int rank) {
        const int pairsOfHead = a.tilesOfHead / 2, shared = pairsOfHead * a.heads;
        isShared = pair < shared;
        if (isShared) {
            head = pair / pairsOfHead;
            row = (2 * (pair - head * pairsOfHead) + rank) * queryRows;
        } else {
            head = min(2 * (pair - shared) + rank, a.heads - 1);
            row = (a.tilesOfHead - 1) * queryRows;
        }
    }
};

/// Steps that a cluster does, each block of its tile.
struct Part {
    int pair, first, end;
    /// Where this block leaves its sums, counted in parts; -1 if the pair is whole.
    int index;
};

/// Where a block of a cluster leaves its sums of a pair that is shared, pairs being counted from the first of those: a cluster has
/// shares of two at most.
__device__ __forceinline__ int partIndex(const Attendance& a, int cluster, int pair, int rank) {
    return (cluster * 2 + (pair - cluster * a.share / a.steps)) * 2 + rank;
}

/// The part of that number of this block's cluster: first its shares, then whole pairs; false if there is none.
__device__ __forceinline__ bool take(const Attendance& a, int number, Part& part) {
    const int cluster = blockIdx.x / 2, shared = (a.pairs - a.wholePairs) * a.steps;
    const int begin = min(cluster * a.share, shared), end = min(begin + a.share, shared);
    const int index = begin / a.steps, cut = min((index + 1) * a.steps, end);
    const int shares = (begin < end) + (cut < end);
    if (number < shares) {
        const int base = (index + number) * a.steps;
        part.pair = a.wholePairs + index + number;
        part.first = number == 0 ? begin - base : 0;
        part.end = (number == 0 ? cut : end) - base;
        part.index = partIndex(a, cluster, index + number, blockIdx.x & 1);
        return true;
    }
    const int pair = cluster + (number - shares) * (gridDim.x / 2);
    part = {pair, 0, a.steps, -1};
    return pair < a.wholePairs;
}

}  // namespace attend

#endif
