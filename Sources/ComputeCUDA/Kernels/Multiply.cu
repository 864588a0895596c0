// y = activation(x) * factor over rows [rows, width]; x and factor of one type, and either may be y.
//
// multiply8: pieces of 8 elements at multiples of 16 bytes. multiply1: any. One pass over memory.
// Checked by the cases multiply/*.

template <int N, typename X, typename Y>
__device__ __forceinline__ void multiply(
    const X* x, i64 xStride, const X* factor, i64 factorStride, Y* y, i64 yStride, i64 rows,
    i64 width, int threads, unsigned columnTiles, int activation) {
    const Tile<N> tile(rows, width, threads, columnTiles);
    float v[TILE_ROWS][N], f[TILE_ROWS][N];
    x += tile.column, factor += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
        if (!tile.has(r)) continue;
        load(x + tile.row(r) * xStride, v[r]);
        load(factor + tile.row(r) * factorStride, f[r]);
    }
    withActivation(activation, [&](auto A) {
#pragma unroll
        for (int r = 0; r < TILE_ROWS; r++) {
            if (!tile.has(r)) return;
#pragma unroll
            for (int i = 0; i < N; i++)
                v[r][i] = activated<decltype(A)::value>(v[r][i]) * f[r][i];
            store(y + tile.row(r) * yStride, v[r]);
        }
    });
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) multiply##N##_##xName##_##yName( \
        const X* x, i64 xStride, const X* factor, i64 factorStride, Y* y, i64 yStride, i64 rows, \
        i64 width, i64 threads, i64 columnTiles, i64 activation) { \
        multiply<N>(x, xStride, factor, factorStride, y, yStride, rows, width, threads, columnTiles, \
                    activation); \
    }

#define KERNELS(xName, X, yName, Y) ONE(8, xName, X, yName, Y) ONE(1, xName, X, yName, Y)

FOR_TYPES(KERNELS)
