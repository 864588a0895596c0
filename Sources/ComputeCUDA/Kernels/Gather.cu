// y [count, width] = the rows of a table [tableRows, width] that `indices` name, converted to y's type.
//
// gather8: pieces of 8 elements at multiples of 16 bytes. gather1: any. An index that names no row traps.
// Checked by the cases gather/*.

template <int N, typename X, typename Y>
__device__ __forceinline__ void gather(
    const X* table, i64 tableStride, i64 tableRows, const int* indices, Y* y, i64 yStride,
    i64 rows, i64 width, int threads, unsigned columnTiles) {
    const Tile<N> tile(rows, width, threads, columnTiles);
    i64 index[TILE_ROWS];
    float v[TILE_ROWS][N];
    table += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
        index[r] = tile.has(r) ? indices[tile.row(r)] : 0;
        if (index[r] < 0 || index[r] >= tableRows) __trap();
    }
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) load(table + index[r] * tableStride, v[r]);
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) store(y + tile.row(r) * yStride, v[r]);
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) gather##N##_##xName##_##yName( \
        const X* table, i64 tableStride, i64 tableRows, const int* indices, Y* y, i64 yStride, \
        i64 rows, i64 width, i64 threads, i64 columnTiles) { \
        gather<N>(table, tableStride, tableRows, indices, y, yStride, rows, width, threads, \
                  columnTiles); \
    }

#define KERNELS(xName, X, yName, Y) ONE(8, xName, X, yName, Y) ONE(1, xName, X, yName, Y)

FOR_TYPES(KERNELS)
