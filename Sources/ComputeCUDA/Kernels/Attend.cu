// softmax(scale q kᵀ) v on Hopper for heads of 128 channels, in one pass over keys and values, after "FlashAttention-3: Fast and
// Accurate Attention with Asynchrony and Low-precision", arXiv:2407.08608.
//
// A block of threads does 128 queries of a head, a tile, and goes through the keys step by step. Of its three warp groups one only
// fetches; the two others have 64 queries each. While one multiplies, the other takes exponentials; and within a group the values
// of a step are multiplied while the scores of the next become weights. Two blocks, a cluster, do two tiles of a head in step with
// each other, and each fetches half of the keys and values for both: L2 gives half as much then, and energy is what bounds a card at
// its limit of power.
//
// Pairs of tiles rarely divide evenly among clusters. Those that are left over are cut along their keys into as many shares as there
// are clusters: each leaves its sums, with the largest score and the sum of weights, and `attendMerge` adds them in the order of
// keys. Checked by the cases attention/*many-keys*.

#if __CUDA_ARCH__ == 900

namespace attend {

__device__ __forceinline__ float lowest() { return __uint_as_float(0xff800000u); }

__device__ __forceinline__ float power2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/// The largest score and the sum of weights of two rows, the second 8 below the first.
struct Rows {
    float largest[2], sum[2];
};

/// Takes the keys of a step from the number `keys` on out.
template <int N>
__device__ __forceinline__ void mask(float (&s)[N], int keys) {
    const int column = (threadIdx.x & 3) * 2;
#pragma unroll
    for (int i = 0; i < N; i++)
        if (i / 4 * 8 + column + (i & 1) >= keys) s[i] = lowest();
}

/// Scores become weights, as if the largest score so far were that of all; gives what earlier sums are multiplied with.
template <typename Kind, int N>
__device__ __forceinline__ void weigh(float (&s)[N], Rows& rows, float factor, float (&older)[2]) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float largest = rows.largest[r];
#pragma unroll
        for (int i = 0; i < N; i += 4) largest = fmaxf(largest, fmaxf(s[i + 2 * r], s[i + 2 * r + 1]));
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 2));
        older[r] = power2((rows.largest[r] - largest) * factor);
        rows.largest[r] = largest;
        const float offset = largest * factor - Kind::logOfOne;
        float sum = 0;
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            s[i + 2 * r] = power2(__fmaf_rn(s[i + 2 * r], factor, -offset));
            s[i + 2 * r + 1] = power2(__fmaf_rn(s[i + 2 * r + 1], factor, -offset));
            sum += s[i + 2 * r] + s[i + 2 * r + 1];
        }
        rows.sum[r] = rows.sum[r] * older[r] + sum;
    }
}

/// Where everything lies in shared memory.
template <typename Kind>
struct SharedLayout {
    unsigned query, key, value, barriers;

    __device__ __forceinline__ SharedLayout(unsigned base)
        : query(base), key(query + Kind::queryBytes), value(key + Kind::stages * Kind::keyBytes),
          barriers(value + Kind::stages * Kind::keyBytes) {}

    __device__ __forceinline__ unsigned queryFull() const { return barriers; }
    __device__ __forceinline__ unsigned queryFree() const { return barriers + 8; }
    __device__ __forceinline__ unsigned keyFull(int stage) const { return barrier(0, stage); }
    __device__ __forceinline__ unsigned keyFree(int stage) const { return barrier(1, stage); }
    __device__ __forceinline__ unsigned valueFull(int stage) const { return barrier(2, stage); }
    __device__ __forceinline__ unsigned valueFree(int stage) const { return barrier(3, stage); }

    __device__ __forceinline__ unsigned barrier(int kind, int stage) const {
        return barriers + 16 + 8 * (kind * Kind::stages + stage);
    }
};

/// A place in the ring of stages, and the parity of its round.
template <typename Kind>
struct Ring {
    int stage = 0;
    unsigned parity = 0;

    __device__ __forceinline__ Ring next() const {
        const bool isLast = stage + 1 == Kind::stages;
        return {isLast ? 0 : stage + 1, parity ^ isLast};
    }
};

/// What the first warp group does: queries of each part, and its keys and values, a step's values behind the next step's keys.
/// Where both blocks have tiles of one head, each fetches half of a step for both.
template <typename Kind>
__device__ __forceinline__ void fetchAll(const TensorMap& query, const TensorMap& key,
                                         const TensorMap& value, const Attendance& a,
                                         const SharedLayout<Kind>& layout) {
    Part part;
    Ring<Kind> keyRing, valueRing;
    unsigned queryParity = 1;
    const int rank = rankInPair();
    for (int number = 0; take(a, number, part); number++) {
        const Tile tile(a, part.pair, rank);
        wait(layout.queryFree(), queryParity);
        queryParity ^= 1;
        expect(layout.queryFull(), Kind::queryBytes);
        Kind::fetchQueries(query, layout.query, tile.head, tile.row, layout.queryFull());
        for (int step = part.first; step <= part.end; step++) {
            if (step < part.end) {
                const unsigned to = layout.key + keyRing.stage * Kind::keyBytes;
                const unsigned full = layout.keyFull(keyRing.stage);
                const int row = step * Kind::keyRows;
                wait(layout.keyFree(keyRing.stage), keyRing.parity ^ 1);
                expect(full, Kind::keyBytes);
                Kind::fetchHalfOfKeys(key, to, tile.head, row, rank, tile.isShared, full);
                if (!tile.isShared)
                    Kind::fetchHalfOfKeys(key, to, tile.head, row, rank ^ 1, false, full);
                keyRing = keyRing.next();
            }
            if (step > part.first) {
                const unsigned to = layout.value + valueRing.stage * Kind::keyBytes;
                const unsigned full = layout.valueFull(valueRing.stage);
                const int row = (step - 1) * Kind::keyRows;
                wait(layout.valueFree(valueRing.stage), valueRing.parity ^ 1);
                expect(full, Kind::keyBytes);
                Kind::fetchHalfOfValues(value, to, tile.head, row, rank, tile.isShared, full);
                if (!tile.isShared)
                    Kind::fetchHalfOfValues(value, to, tile.head, row, rank ^ 1, false, full);
                valueRing = valueRing.next();
            }
        }
    }
}

/// The sum of weights of a row, of which each of four threads has a part.
__device__ __forceinline__ float sumOfRow(const Rows& rows, int r) {
    float sum = rows.sum[r];
    sum += __shfl_xor_sync(0xffffffff, sum, 1);
    return sum + __shfl_xor_sync(0xffffffff, sum, 2);
}

/// Writes a warp group's rows of a whole tile.
template <typename Kind>
__device__ __forceinline__ void writeOut(const float (&o)[64], const Rows& rows, int row,
                                         int queries, float factor, typename Kind::Element* out,
                                         i64 rowStride) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const float share = factor / sumOfRow(rows, r);
        if (row + 8 * r >= queries) continue;
        typename Kind::Element* to = out + (row + 8 * r) * rowStride + (threadIdx.x & 3) * 2;
#pragma unroll
        for (int i = 0; i < 16; i++)
            Kind::put(to + 8 * i, o[4 * i + 2 * r] * share, o[4 * i + 2 * r + 1] * share);
    }
}

/// Writes a warp group's rows of a part: 128 sums a row, and behind all rows of the part the largest score and sum of each.
__device__ __forceinline__ void writePart(const float (&o)[64], const Rows& rows, int row,
                                          float* part) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const float sum = sumOfRow(rows, r);
        float2* to = reinterpret_cast<float2*>(part + (row + 8 * r) * 128) + (threadIdx.x & 3);
#pragma unroll
        for (int i = 0; i < 16; i++) to[4 * i] = make_float2(o[4 * i + 2 * r], o[4 * i + 2 * r + 1]);
        if ((threadIdx.x & 3) == 0)
            reinterpret_cast<float2*>(part + queryRows * 128)[row + 8 * r] =
                make_float2(rows.largest[r], sum);
    }
}

/// What each of the two other warp groups does.
template <typename Kind>
__device__ __forceinline__ void attendAll(const Attendance& a, const Scales& scales,
                                          const SharedLayout<Kind>& layout, int group,
                                          typename Kind::Element* out, i64 outRow, i64 outHead,
                                          float* partial) {
    Part part;
    Ring<Kind> ring;
    unsigned queryParity = 0;
    const float factor = a.factor * scales.ofScores();
    const bool speaks = (threadIdx.x & 31) == 0;
    const unsigned query = layout.query + group * groupBytes;
    float s[Kind::scores], o[64];
    unsigned p[Kind::packed];
    if (Kind::takesTurns && group == 1) giveTurn(0);
    for (int number = 0; take(a, number, part); number++) {
        Rows rows{{lowest(), lowest()}, {0, 0}};
        float older[2];
#pragma unroll
        for (int i = 0; i < 64; i++) o[i] = 0;
        wait(layout.queryFull(), queryParity);
        queryParity ^= 1;

        const auto finishScores = [&](int step, int stage) {
            if (speaks) arriveInBoth(layout.keyFree(stage));
            if (step == a.steps - 1) mask(s, a.keys - step * Kind::keyRows);
            weigh<Kind>(s, rows, factor, older);
        };
        wait(layout.keyFull(ring.stage), ring.parity);
        hold(s);
        beginProducts();
        Kind::scoreAll(s, query, layout.key + ring.stage * Kind::keyBytes);
        commitProducts();
        awaitProducts<0>();
        hold(s);
        finishScores(part.first, ring.stage);
        Kind::packAll(p, s);

        Ring<Kind> next = ring.next();
        if (part.first + 1 < part.end) wait(layout.keyFull(next.stage), next.parity);
        for (int step = part.first + 1; step < part.end; step++) {
            if (Kind::takesTurns) takeTurn(group);
            hold(s);
            hold(o);
            beginProducts();
            Kind::scoreAll(s, query, layout.key + next.stage * Kind::keyBytes);
            commitProducts();
            wait(layout.valueFull(ring.stage), ring.parity);
            Kind::mixAll(o, p, layout.value + ring.stage * Kind::keyBytes);
            commitProducts();
            if (Kind::takesTurns) giveTurn(group ^ 1);
            awaitProducts<1>();
            hold(s);
            finishScores(step, next.stage);
            const int done = ring.stage;
            ring = next;
            next = ring.next();
            // The compiler moves the wait for products above arithmetic, but not above a branch.
            if (step + 1 < part.end) wait(layout.keyFull(next.stage), next.parity);
            awaitProducts<0>();
            hold(o);
            if (speaks) arriveInBoth(layout.valueFree(done));
            Kind::packAll(p, s);
#pragma unroll
            for (int i = 0; i < 64; i++) o[i] *= older[i >> 1 & 1];
        }
        if (speaks) arrive(layout.queryFree());

        wait(layout.valueFull(ring.stage), ring.parity);
        hold(o);
        beginProducts();
        Kind::mixAll(o, p, layout.value + ring.stage * Kind::keyBytes);
        commitProducts();
        awaitProducts<0>();
        hold(o);
        if (speaks) arriveInBoth(layout.valueFree(ring.stage));
        ring = ring.next();

        const int row = group * 64 + (threadIdx.x >> 5 & 3) * 16 + (threadIdx.x >> 2 & 7);
        if (part.index < 0) {
            const Tile tile(a, part.pair, rankInPair());
            writeOut<Kind>(o, rows, tile.row + row, a.queries, scales.ofSums(),
                           out + tile.head * outHead, outRow);
        } else {
            writePart(o, rows, row, partial + (i64)part.index * partFloats);
        }
    }
}

/// What a block does: barriers first, then each of its warp groups its part, with the registers that it needs.
template <typename Kind>
__device__ __forceinline__ void run(const TensorMap& query, const TensorMap& key,
                                    const TensorMap& value, const Attendance& a,
                                    const Scales& scales, typename Kind::Element* out, i64 outRow,
                                    i64 outHead, float* partial) {
    extern __shared__ __align__(1024) char shared[];
    const SharedLayout<Kind> layout(sharedAddress(shared));
    if (threadIdx.x == 0) {
        initialize(layout.queryFull(), 1);
        initialize(layout.queryFree(), 8);
        for (int i = 0; i < Kind::stages; i++) {
            initialize(layout.keyFull(i), 1), initialize(layout.valueFull(i), 1);
            initialize(layout.keyFree(i), 16), initialize(layout.valueFree(i), 16);
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    meetPair();
    const int group = __shfl_sync(0xffffffff, (int)(threadIdx.x >> 7), 0) - 1;
    if (group < 0) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        if (threadIdx.x == 0) fetchAll<Kind>(query, key, value, a, layout);
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        attendAll<Kind>(a, scales, layout, group, out, outRow, outHead, partial);
    }
    // The other block may still write here.
    __syncwarp();
    meetPair();
}

/// Adds the shares of a tile's row: a warp a row, four channels a lane.
template <typename Kind>
__device__ __forceinline__ void merge(const Attendance& a, const Scales& scales,
                                      typename Kind::Element* out, i64 outRow, i64 outHead,
                                      const float* partial) {
    const int warp = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    const int index = warp / (2 * queryRows), rank = warp / queryRows % 2, row = warp % queryRows;
    const Tile tile(a, a.wholePairs + index, rank);
    if (tile.row + row >= a.queries) return;
    const float factor = a.factor * scales.ofScores();
    const int first = index * a.steps / a.share, last = ((index + 1) * a.steps - 1) / a.share;
    Rows all{{lowest(), lowest()}, {0, 0}};
    float v[4] = {0, 0, 0, 0};
    for (int cluster = first; cluster <= last; cluster++) {
        const float* part = partial + (i64)partIndex(a, cluster, index, rank) * partFloats;
        const float2 ends = reinterpret_cast<const float2*>(part + queryRows * 128)[row];
        const float4 sums = reinterpret_cast<const float4*>(part + row * 128)[lane];
        const float largest = fmaxf(all.largest[0], ends.x);
        const float older = power2((all.largest[0] - largest) * factor);
        const float newer = power2((ends.x - largest) * factor);
        all.largest[0] = largest;
        all.sum[0] = all.sum[0] * older + ends.y * newer;
        v[0] = v[0] * older + sums.x * newer, v[1] = v[1] * older + sums.y * newer;
        v[2] = v[2] * older + sums.z * newer, v[3] = v[3] * older + sums.w * newer;
    }
    const float share = scales.ofSums() / all.sum[0];
    typename Kind::Element* to = out + (tile.row + row) * outRow + tile.head * outHead + lane * 4;
    Kind::put(to, v[0] * share, v[1] * share);
    Kind::put(to + 2, v[2] * share, v[3] * share);
}

}  // namespace attend

#define DEFINE(name, Kind, T)                                                                      \
    extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(384, 1) attend_##name(  \
        const __grid_constant__ TensorMap query, const __grid_constant__ TensorMap key,            \
        const __grid_constant__ TensorMap value, const __grid_constant__ Attendance a,             \
        const __grid_constant__ attend::Scales scales, T* out, i64 outRow, i64 outHead,            \
        float* partial) {                                                                          \
        attend::run<attend::Kind>(query, key, value, a, scales, out, outRow, outHead, partial);    \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(256) attendMerge_##name(                          \
        const __grid_constant__ Attendance a, const __grid_constant__ attend::Scales scales,       \
        T* out, i64 outRow, i64 outHead, const float* partial) {                                   \
        attend::merge<attend::Kind>(a, scales, out, outRow, outHead, partial);                     \
    }

DEFINE(bf16, Wide, bf16)
DEFINE(e4m3, Narrow, e4m3)

#endif
