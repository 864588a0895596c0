// y = x over rows [rows, width] of units of 16, 8, 4, 2 or 1 bytes, in which strides and widths count.
//
// One pass over memory, four units in flight for each thread. Checked by the cases copy/*.

template <typename Unit>
__device__ __forceinline__ void copy(
    const Unit* x, i64 xStride, Unit* y, i64 yStride, i64 rows, i64 width, int threads,
    unsigned columnTiles) {
    const Tile<1> tile(rows, width, threads, columnTiles);
    Unit v[TILE_ROWS];
    x += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) v[r] = x[tile.row(r) * xStride];
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) y[tile.row(r) * yStride] = v[r];
}

#define KERNEL(bytes, Unit) \
    extern "C" __global__ void __launch_bounds__(256) copy##bytes( \
        const Unit* x, i64 xStride, Unit* y, i64 yStride, i64 rows, i64 width, i64 threads, \
        i64 columnTiles) { \
        copy(x, xStride, y, yStride, rows, width, threads, columnTiles); \
    }

KERNEL(16, uint4)
KERNEL(8, uint2)
KERNEL(4, unsigned)
KERNEL(2, unsigned short)
KERNEL(1, unsigned char)
