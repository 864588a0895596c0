// y = number * scale over rows [rows, width] of numbers of 8 bits, with a scale for each row
// (scaleStep 1) or one for all (0).
//
// One element of a row and thread: not part of what is fast. Checked by the cases widened/*.

template <typename X, typename Y>
__device__ __forceinline__ void widen(
    const X* x, i64 xStride, const float* scales, i64 scaleStep, Y* y, i64 yStride, i64 rows,
    i64 width, int threads, unsigned columnTiles) {
    const Tile<1> tile(rows, width, threads, columnTiles);
    float v[TILE_ROWS][1];
    x += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r))
            v[r][0] = number(x[tile.row(r) * xStride]) * scales[tile.row(r) * scaleStep];
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) store(y + tile.row(r) * yStride, v[r]);
}

#define ONE(xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) widen_##xName##_##yName( \
        const X* x, i64 xStride, const float* scales, i64 scaleStep, Y* y, i64 yStride, i64 rows, \
        i64 width, i64 threads, i64 columnTiles) { \
        widen(x, xStride, scales, scaleStep, y, yStride, rows, width, threads, columnTiles); \
    }

#define KERNELS(xName, X) ONE(xName, X, f32, float) ONE(xName, X, bf16, bf16)

FOR_NUMBERS(KERNELS)
