// y = x as float32 or bfloat16, over elements of a type in which checkpoints keep weights. Conversions between float32
// and bfloat16 are Activate's.
//
// One element of a row and thread: a weight is converted once. Checked by the tests of `load`.

/// An IEEE half-precision number as it lies in memory.
struct f16 {
    unsigned short bits;
};

__device__ __forceinline__ float number(double x) { return x; }
__device__ __forceinline__ float number(f16 x) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
    return result;
}

template <typename X, typename Y>
__device__ __forceinline__ void convert(
    const X* x, i64 xStride, Y* y, i64 yStride, i64 rows, i64 width, int threads,
    unsigned columnTiles) {
    const Tile<1> tile(rows, width, threads, columnTiles);
    float v[TILE_ROWS][1];
    x += tile.column, y += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) v[r][0] = number(x[tile.row(r) * xStride]);
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) store(y + tile.row(r) * yStride, v[r]);
}

#define KERNEL(xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) convert_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, i64 rows, i64 width, i64 threads, \
        i64 columnTiles) { \
        convert(x, xStride, y, yStride, rows, width, threads, columnTiles); \
    }

KERNEL(f16, f16, f32, float)
KERNEL(f16, f16, bf16, bf16)
KERNEL(f64, double, f32, float)
KERNEL(f64, double, bf16, bf16)
