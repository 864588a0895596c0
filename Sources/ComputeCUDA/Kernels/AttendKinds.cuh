// Between AttendShares.cuh and Attend.cu: how tiles of queries, keys and values of a type lie in shared memory, and how they are
// multiplied.

#if __CUDA_ARCH__ == 900

namespace attend {

/// Bytes from the queries of one warp group to those of the other, in each tile of rows of 128 bytes.
constexpr int groupBytes = 64 * 128;

/// A box for this block, or for both of the cluster.
__device__ __forceinline__ void fetchFor(bool both, unsigned to, const TensorMap& map, int column,
                                         int head, int row, unsigned barrier) {
    if (both) fetchForBoth(to, map, column, head, row, barrier);
    else fetch(to, map, column, head, row, barrier);
}

/// bfloat16: rows of 256 bytes lie as two tiles of 64 channels.
struct Wide {
    using Element = bf16;
    static constexpr int keyRows = 176, stages = 2;
    static constexpr int scores = keyRows / 2, packed = keyRows / 4;
    static constexpr int queryBytes = queryRows * 256, keyBytes = keyRows * 256;
    static constexpr float logOfOne = 0;
    static constexpr bool takesTurns = true;

    static __device__ __forceinline__ void fetchQueries(const TensorMap& map, unsigned to, int head,
                                                        int row, unsigned barrier) {
        fetch(to, map, 0, head, row, barrier);
        fetch(to + queryRows * 128, map, 64, head, row, barrier);
    }

    /// Half of a step's rows of keys or values.
    static __device__ __forceinline__ void fetchHalf(const TensorMap& map, unsigned to, int head,
                                                     int row, int half, bool forBoth,
                                                     unsigned barrier) {
        const int first = half * (keyRows / 2);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const unsigned place = to + i * keyRows * 128 + first * 128;
            fetchFor(forBoth, place, map, 64 * i, head, row + first, barrier);
        }
    }

    static __device__ __forceinline__ void fetchHalfOfKeys(const TensorMap& map, unsigned to,
                                                           int head, int row, int half,
                                                           bool forBoth, unsigned barrier) {
        fetchHalf(map, to, head, row, half, forBoth, barrier);
    }

    static __device__ __forceinline__ void fetchHalfOfValues(const TensorMap& map, unsigned to,
                                                             int head, int row, int half,
                                                             bool forBoth, unsigned barrier) {
        fetchHalf(map, to, head, row, half, forBoth, barrier);
    }

    static __device__ __forceinline__ void scoreAll(float (&s)[scores], unsigned q, unsigned k) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const int half = i / 4, part = i % 4 * 32;
            score(s, operand(q + half * queryRows * 128 + part, 16, 1024),
                  operand(k + half * keyRows * 128 + part, 16, 1024), i > 0);
        }
    }

    static __device__ __forceinline__ void mixAll(float (&o)[64], const unsigned (&p)[packed],
                                                  unsigned v) {
#pragma unroll
        for (int i = 0; i < keyRows / 16; i++)
            mix(o, p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3],
                operand(v + i * 2048, keyRows * 128, 1024));
    }

    static __device__ __forceinline__ void packAll(unsigned (&p)[packed], const float (&s)[scores]) {
#pragma unroll
        for (int i = 0; i < packed; i++) p[i] = pack(s[2 * i], s[2 * i + 1]);
    }

    static __device__ __forceinline__ void put(bf16* to, float a, float b) {
        *reinterpret_cast<unsigned*>(to) = pack(a, b);
    }
};

/// float8_e4m3: rows of 128 bytes; values lie in tiles of 16 keys, [128 channels, 16 keys] each.
struct Narrow {
    using Element = e4m3;
    static constexpr int keyRows = 192, stages = 4;
    static constexpr int scores = keyRows / 2, packed = keyRows / 8;
    static constexpr int queryBytes = queryRows * 128, keyBytes = keyRows * 128;
    static constexpr int tileRows = 16, tileBytes = tileRows * 128;
    static_assert(keyRows % (2 * tileRows) == 0, "each block fetches whole tiles");
    /// The largest weight is 256: small ones are not lost then.
    static constexpr float logOfOne = 8;
    /// Weights take longer than products here, and both groups may as well make theirs at once.
    static constexpr bool takesTurns = false;

    static __device__ __forceinline__ void fetchQueries(const TensorMap& map, unsigned to, int head,
                                                        int row, unsigned barrier) {
        fetch(to, map, 0, head, row, barrier);
    }

    static __device__ __forceinline__ void fetchHalfOfKeys(const TensorMap& map, unsigned to,
                                                           int head, int row, int half,
                                                           bool forBoth, unsigned barrier) {
        const int first = half * (keyRows / 2);
        fetchFor(forBoth, to + first * 128, map, 0, head, row + first, barrier);
    }

    /// Half of the tiles.
    static __device__ __forceinline__ void fetchHalfOfValues(const TensorMap& map, unsigned to,
                                                             int head, int row, int half,
                                                             bool forBoth, unsigned barrier) {
        const int first = half * (keyRows / 2 / tileRows);
        fetchFor(forBoth, to + first * tileBytes, map, 0, head, row / tileRows + first, barrier);
    }

    static __device__ __forceinline__ void scoreAll(float (&s)[scores], unsigned q, unsigned k) {
#pragma unroll
        for (int i = 0; i < 4; i++)
            score(s, operand(q + i * 32, 16, 1024), operand(k + i * 32, 16, 1024), i > 0);
    }

    static __device__ __forceinline__ void mixAll(float (&o)[64], const unsigned (&p)[packed],
                                                  unsigned v) {
#pragma unroll
        for (int i = 0; i < keyRows / 32; i++)
            mixNumbers(o, p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3],
                       plainOperand(v + i * 2 * tileBytes, tileBytes, 128));
    }

    /// A thread's weights are those of keys 2 t, 2 t + 1, 2 t + 8 and 2 t + 9 of each 16, where the matrix units want four in a
    /// row: `tileValues` puts the values in that order.
    static __device__ __forceinline__ void packAll(unsigned (&p)[packed], const float (&s)[scores]) {
        const e4m3* type = nullptr;
#pragma unroll
        for (int i = 0; i < packed; i++) {
            const int j = i / 2 * 8 + i % 2 * 2;
            p[i] = packNumbers(type, s[j], s[j + 1], s[j + 4], s[j + 5]);
        }
    }

    static __device__ __forceinline__ void put(e4m3* to, float a, float b) {
        unsigned short pair;
        asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(b), "f"(a));
        *reinterpret_cast<unsigned short*>(to) = pair;
    }
};

}  // namespace attend

#endif
