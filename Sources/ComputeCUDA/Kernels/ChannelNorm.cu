// y = activation(x / max(‖x‖, 1e-12) * sqrt(channels) * weight) over rows [rows, channels], one row for each pixel.
//
// channelNormL, channelNormLSiLU (L = 4, 8, 16, 32): a pixel of 24 L channels, as in 96 and its doublings, lies in the
// registers of L threads, 3 pieces of 8 elements each, interleaved so that a load of all of them has no gaps. A thread keeps its
// weights for the `turns` rows that it does one after another. One pass over memory.
// channelNormAny: any width, alignment and activation; a warp reads its row twice, from the cache.
// Checked by the cases channelNorm/*.

/// Pieces of 8 elements of a thread.
constexpr int PIECES = 3;

template <int LANES, int A, typename T>
__device__ __forceinline__ void channelNorm(
    const T* x, i64 xStride, T* y, i64 yStride, const float* weight, int rows, int turns) {
    const int lane = threadIdx.x % LANES, rowsOfBlock = blockDim.x / LANES;
    float w[PIECES][8];
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        load(weight + (piece * LANES + lane) * 8, w[piece]);
#pragma unroll
        for (int i = 0; i < 8; i++) w[piece][i] *= sqrtf(LANES * PIECES * 8);
    }
    // All threads of a warp take every turn, since they add across lanes.
    int row = blockIdx.x * turns * rowsOfBlock + threadIdx.x / LANES;
#pragma unroll 1
    for (; turns > 0; turns--, row += rowsOfBlock) {
        const bool isRow = row < rows;
        float v[PIECES][8];
#pragma unroll
        for (int piece = 0; piece < PIECES; piece++) {
#pragma unroll
            for (int i = 0; i < 8; i++) v[piece][i] = 0;
            if (isRow) load(x + row * xStride + (piece * LANES + lane) * 8, v[piece]);
        }
        float squares = 0;
#pragma unroll
        for (int piece = 0; piece < PIECES; piece++)
#pragma unroll
            for (int i = 0; i < 8; i++) squares += v[piece][i] * v[piece][i];
        const float factor = 1.0f / fmaxf(sqrtf(sumOfLanes(squares, LANES)), 1e-12f);
#pragma unroll
        for (int piece = 0; piece < PIECES; piece++) {
#pragma unroll
            for (int i = 0; i < 8; i++)
                v[piece][i] = activated<A>(v[piece][i] * factor * w[piece][i]);
            if (isRow) store(y + row * yStride + (piece * LANES + lane) * 8, v[piece]);
        }
    }
}

template <typename X, typename Y>
__device__ __forceinline__ void channelNormAny(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, i64 rows, int channels,
    int activation) {
    const int lane = threadIdx.x & 31;
    const i64 row = (i64)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
    if (row >= rows) return;
    x += row * xStride, y += row * yStride;
    float v[1];
    float squares = 0;
#pragma unroll 1
    for (int column = lane; column < channels; column += 32) {
        load(x + column, v);
        squares += v[0] * v[0];
    }
    const float length = sqrtf(sumOfLanes(squares, 32));
    const float factor = sqrtf(channels) / fmaxf(length, 1e-12f);
    withActivation(activation, [&](auto A) {
#pragma unroll 1
        for (int column = lane; column < channels; column += 32) {
            load(x + column, v);
            v[0] = activated<decltype(A)::value>(v[0] * factor * weight[column]);
            store(y + column, v);
        }
    });
}

#define ANY(xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) channelNormAny_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, i64 rows, i64 channels, \
        i64 activation) { \
        channelNormAny(x, xStride, y, yStride, weight, rows, channels, activation); \
    }

#define ONE(kernel, BLOCKS, LANES, A, name, T) \
    extern "C" __global__ void __launch_bounds__(256, BLOCKS) kernel##_##name##_##name( \
        const T* x, i64 xStride, T* y, i64 yStride, const float* weight, i64 rows, i64 turns) { \
        channelNorm<LANES, A>(x, xStride, y, yStride, weight, rows, turns); \
    }

#define PIXELS(LANES) \
    ONE(channelNorm##LANES, 3, LANES, IDENTITY, f32, float) \
    ONE(channelNorm##LANES##SiLU, 3, LANES, SILU, f32, float) \
    ONE(channelNorm##LANES, 4, LANES, IDENTITY, bf16, bf16) \
    ONE(channelNorm##LANES##SiLU, 4, LANES, SILU, bf16, bf16)

FOR_TYPES(ANY)
PIXELS(4) PIXELS(8) PIXELS(16) PIXELS(32)
