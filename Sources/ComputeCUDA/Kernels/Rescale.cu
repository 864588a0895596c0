// y = activation(product * xScale * weightScale + bias), added to what y holds if it accumulates,
// over rows [rows, width]: behind a product of 8-bit numbers by a library that knows no scales for
// rows. xScale has a float for each row, weightScale and bias one for each column; the bias may be
// null. Products are int32 or bfloat16.
//
// rescale8: pieces of 8 elements. rescale1: any. One pass over memory. Checked by the cases
// linear/int8/*.

template <int N>
__device__ __forceinline__ void load(const int* from, float (&v)[N]) {
    if constexpr (N % 4 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            const int4 q = *reinterpret_cast<const int4*>(from + i);
            v[i] = q.x, v[i + 1] = q.y, v[i + 2] = q.z, v[i + 3] = q.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) v[i] = from[i];
    }
}

/// Rows of a thread: a column's scale and bias serve them all.
enum { RESCALE_ROWS = 2 };

template <int N, typename X, typename Y>
__device__ __forceinline__ void rescale(
    const X* product, i64 productStride, const float* xScales, const float* weightScales,
    const float* bias, Y* y, i64 yStride, i64 rows, i64 width, int threads, unsigned columnTiles,
    int activation, bool accumulates) {
    const Tile<N, RESCALE_ROWS> tile(rows, width, threads, columnTiles);
    if (!tile.has(0)) return;
    product += tile.column, y += tile.column;
    float v[RESCALE_ROWS][N], scale[N], offset[N];
#pragma unroll
    for (int r = 0; r < RESCALE_ROWS; r++)
        if (tile.has(r)) load(product + tile.row(r) * productStride, v[r]);
    load(weightScales + tile.column, scale);
#pragma unroll
    for (int i = 0; i < N; i++) offset[i] = 0;
    if (bias) load(bias + tile.column, offset);
    withActivation(activation, [&](auto A) {
#pragma unroll
        for (int r = 0; r < RESCALE_ROWS; r++) {
            if (!tile.has(r)) return;
            const float xScale = xScales[tile.row(r)];
#pragma unroll
            for (int i = 0; i < N; i++)
                v[r][i] = activated<decltype(A)::value>(v[r][i] * (xScale * scale[i]) + offset[i]);
            Y* const to = y + tile.row(r) * yStride;
            if (accumulates) {
                float old[N];
                load(to, old);
#pragma unroll
                for (int i = 0; i < N; i++) v[r][i] += old[i];
            }
            store(to, v[r]);
        }
    });
}

#define ONE(N, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256, 2) rescale##N##_##xName##_##yName( \
        const X* product, i64 productStride, const float* xScales, const float* weightScales, \
        const float* bias, Y* y, i64 yStride, i64 rows, i64 width, i64 threads, i64 columnTiles, \
        i64 activation, i64 accumulates) { \
        rescale<N>(product, productStride, xScales, weightScales, bias, y, yStride, rows, width, \
                   threads, columnTiles, activation, accumulates); \
    }

#define KERNELS(N) \
    ONE(N, s32, int, f32, float) ONE(N, s32, int, bf16, bf16) ONE(N, bf16, bf16, f32, float) \
    ONE(N, bf16, bf16, bf16, bf16)

KERNELS(8)
KERNELS(1)
