// y = activation(x) over rows [rows, width]; with the identity, a conversion.
//
// activate8: pieces of 8 elements at multiples of 16 bytes. activate1: any. One pass over memory; x may be y.
// Checked by the cases activate/*, and copy/* that convert.

template <int N, typename X, typename Y>
__device__ __forceinline__ void activate(
    const X* x, i64 xStride, Y* y, i64 yStride, i64 rows, i64 width, int threads,
    unsigned columnTiles, int activation) {
    const Tile<N> tile(rows, width, threads, columnTiles);
    float v[TILE_ROWS][N];
    x += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) load(x + tile.row(r) * xStride, v[r]);
    withActivation(activation, [&](auto A) {
#pragma unroll
        for (int r = 0; r < TILE_ROWS; r++) {
            if (!tile.has(r)) return;
#pragma unroll
            for (int i = 0; i < N; i++) v[r][i] = activated<decltype(A)::value>(v[r][i]);
            store(y + tile.row(r) * yStride, v[r]);
        }
    });
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) activate##N##_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, i64 rows, i64 width, i64 threads, \
        i64 columnTiles, i64 activation) { \
        activate<N>(x, xStride, y, yStride, rows, width, threads, columnTiles, activation); \
    }

#define KERNELS(xName, X, yName, Y) ONE(8, xName, X, yName, Y) ONE(1, xName, X, yName, Y)

FOR_TYPES(KERNELS)
