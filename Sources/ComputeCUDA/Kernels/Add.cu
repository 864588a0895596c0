// y = x + alpha * addend * gate * mask over rows [rows, width], where x may be y. The addend has one row for each group of
// rows, as has the gate, and the mask one number for each row; gate and mask may be null.
//
// add8: pieces of 8 elements at multiples of 16 bytes. add1: any. One pass over memory: the residual stream's gated sum.
// Checked by the cases add/*.

template <int N, typename X, typename A, typename Y>
__device__ __forceinline__ void add(
    const X* x, i64 xStride, const A* addend, i64 addendStride, unsigned addendLength, Y* y,
    i64 yStride, Groups gates, const float* mask, float alpha, i64 rows, i64 width, int threads,
    unsigned columnTiles) {
    const Tile<N, ADD_ROWS> tile(rows, width, threads, columnTiles);
    if (!tile.has(0)) return;
    Piece<X, N> v[ADD_ROWS];
    Piece<A, N> a[ADD_ROWS];
    x += tile.column, addend += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < ADD_ROWS; r++) {
        if (!tile.has(r)) continue;
        const i64 row = tile.row(r);
        v[r].read(x + row * xStride);
        const i64 group = addendLength == 1 ? row : (i64)((unsigned)row / addendLength);
        a[r].read(addend + group * addendStride);
    }
    // Successive rows mostly share a gate.
    const float* gate = gates.first ? gates[tile.row(0)] : nullptr;
    float g[N];
#pragma unroll
    for (int i = 0; i < N; i++) g[i] = 1;
    if (gate) load(gate + tile.column, g);
#pragma unroll
    for (int r = 0; r < ADD_ROWS; r++) {
        if (!tile.has(r)) return;
        const i64 row = tile.row(r);
        if (r > 0 && gate && gates[row] != gate) {
            gate = gates[row];
            load(gate + tile.column, g);
        }
        const float factor = mask ? alpha * mask[row] : alpha;
        float sum[N], change[N];
        v[r].unpackInto(sum), a[r].unpackInto(change);
#pragma unroll
        for (int i = 0; i < N; i++) sum[i] += factor * (change[i] * g[i]);
        store(y + row * yStride, sum);
    }
}

#define ONE(N, xName, X, aName, A, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) add##N##_##xName##_##aName##_##yName( \
        const X* x, i64 xStride, const A* addend, i64 addendStride, i64 addendLength, Y* y, \
        i64 yStride, const float* gate, i64 gateStride, i64 gateLength, const float* mask, \
        float alpha, i64 rows, i64 width, i64 threads, i64 columnTiles) { \
        add<N>(x, xStride, addend, addendStride, addendLength, y, yStride, \
               Groups(gate, gateStride, gateLength), mask, alpha, rows, width, threads, columnTiles); \
    }

#define KERNELS(xName, X, yName, Y) \
    ONE(8, xName, X, f32, float, yName, Y) ONE(8, xName, X, bf16, bf16, yName, Y) \
    ONE(1, xName, X, f32, float, yName, Y) ONE(1, xName, X, bf16, bf16, yName, Y)

FOR_TYPES(KERNELS)
