// y = x * scale + shift over rows [rows, channels], scale and shift [channels]; x may be y.
//
// affine8: pieces of 8 elements at multiples of 16 bytes. affine1: any. One pass over memory.
// Checked by the cases affine/*.

template <int N, typename X, typename Y>
__device__ __forceinline__ void affine(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* scale, const float* shift, i64 rows,
    i64 width, int threads, unsigned columnTiles) {
    const Tile<N> tile(rows, width, threads, columnTiles);
    if (!tile.isInside) return;
    float p[N], q[N];
    load(scale + tile.column, p), load(shift + tile.column, q);
    y += tile.column;
    withRows(tile, x, xStride, [&](i64 row, float (&v)[N]) {
#pragma unroll
        for (int i = 0; i < N; i++) v[i] = v[i] * p[i] + q[i];
        store(y + row * yStride, v);
    });
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) affine##N##_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, const float* scale, const float* shift, \
        i64 rows, i64 width, i64 threads, i64 columnTiles) { \
        affine<N>(x, xStride, y, yStride, scale, shift, rows, width, threads, columnTiles); \
    }

#define KERNELS(xName, X, yName, Y) ONE(8, xName, X, yName, Y) ONE(1, xName, X, yName, Y)

FOR_TYPES(KERNELS)
