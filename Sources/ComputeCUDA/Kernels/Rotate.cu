// y = x with each successive pair (a, b) of a head turned by a table of (cos, sin): (a cos - b sin, b cos + a sin). x and y
// are [rows, width], width being that of all heads, and the table has `head` floats for each row.
//
// rotate8_bf16_e4m3 writes numbers of 8 bits by one scale for all. rotate8: pieces of 8 elements at
// multiples of 16 bytes, `head` a multiple of 8. rotate2: pairs. One pass over memory. Checked by
// the cases rotate/*.

template <int N, typename X, typename Y>
__device__ __forceinline__ void rotate(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* table, i64 tableStride, int head,
    i64 rows, i64 width, int threads, unsigned columnTiles, const float* scale = nullptr) {
    const float inverseScale = scale ? 1.0f / *scale : 1.0f;
    const Tile<N, ROTATE_ROWS> tile(rows, width, threads, columnTiles);
    Piece<X, N> v[ROTATE_ROWS];
    float angle[ROTATE_ROWS][N];
    x += tile.column, y += tile.column;
    table += (unsigned)tile.column % (unsigned)head;
#pragma unroll
    for (int r = 0; r < ROTATE_ROWS; r++) {
        if (!tile.has(r)) continue;
        v[r].read(x + tile.row(r) * xStride);
        load(table + tile.row(r) * tableStride, angle[r]);
    }
#pragma unroll
    for (int r = 0; r < ROTATE_ROWS; r++) {
        if (!tile.has(r)) return;
        float pairs[N];
        v[r].unpackInto(pairs);
#pragma unroll
        for (int i = 0; i < N; i += 2) {
            const float a = pairs[i] * inverseScale, b = pairs[i + 1] * inverseScale;
            pairs[i] = a * angle[r][i] - b * angle[r][i + 1];
            pairs[i + 1] = b * angle[r][i] + a * angle[r][i + 1];
        }
        store(y + tile.row(r) * yStride, pairs);
    }
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256, 4) rotate##N##_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, const float* table, i64 tableStride, i64 head, \
        i64 rows, i64 width, i64 threads, i64 columnTiles) { \
        rotate<N>(x, xStride, y, yStride, table, tableStride, head, rows, width, threads, \
                  columnTiles); \
    }

#define KERNELS(xName, X, yName, Y) ONE(8, xName, X, yName, Y) ONE(2, xName, X, yName, Y)

FOR_TYPES(KERNELS)

extern "C" __global__ void __launch_bounds__(256, 4) rotate8_bf16_e4m3(
    const bf16* x, i64 xStride, e4m3* y, i64 yStride, const float* table, i64 tableStride, i64 head,
    i64 rows, i64 width, i64 threads, i64 columnTiles, const float* scale) {
    rotate<8>(x, xStride, y, yStride, table, tableStride, head, rows, width, threads, columnTiles,
              scale);
}
