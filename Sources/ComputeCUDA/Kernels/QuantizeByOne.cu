// y = x / scale over rows [rows, width] as numbers of 8 bits, with one scale for all. What is too
// large becomes the largest number.
//
// quantizeByOne8: pieces of 8 elements. quantizeByOne1: any. One pass over memory. spread: a vector
// filled with the scale. Checked by the cases quantized/one/*.

template <int N, typename X, typename Y>
__device__ __forceinline__ void quantizeByOne(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* scale, i64 rows, i64 width,
    int threads, unsigned columnTiles) {
    const Tile<N> tile(rows, width, threads, columnTiles);
    const float inverse = 1.0f / *scale;
    y += tile.column;
    withRows(tile, x, xStride, [&](i64 row, float (&v)[N]) {
#pragma unroll
        for (int i = 0; i < N; i++) v[i] *= inverse;
        store(y + row * yStride, v);
    });
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) quantizeByOne##N##_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, const float* scale, i64 rows, i64 width, \
        i64 threads, i64 columnTiles) { \
        quantizeByOne<N>(x, xStride, y, yStride, scale, rows, width, threads, columnTiles); \
    }

#define KERNELS(yName, Y) \
    ONE(8, f32, float, yName, Y) ONE(8, bf16, bf16, yName, Y) ONE(1, f32, float, yName, Y) ONE(1, bf16, bf16, yName, Y)

FOR_NUMBERS(KERNELS)

extern "C" __global__ void __launch_bounds__(256) spread(const float* scale, float* y, i64 count) {
    const i64 index = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (index < count) y[index] = *scale;
}
