// y = activation(x) over rows [rows, width] as numbers of 8 bits, with a scale for each row by
// which its largest magnitude becomes the largest number.
//
// quantize1, 2, 4: a row lies in the registers of a block, so many pieces of 8 elements in each
// thread: one pass over memory. quantizeAny: any width and alignment; a warp reads its row twice.
// Checked by the cases quantized/*.

template <int PIECES, typename X, typename Y>
__device__ __forceinline__ void quantize(
    const X* x, i64 xStride, Y* y, i64 yStride, float* scales, int width, int activation) {
    __shared__ unsigned room[32];
    x += blockIdx.x * xStride, y += blockIdx.x * yStride;
    Piece<X, 8> pieces[PIECES];
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        const int column = (piece * blockDim.x + threadIdx.x) * 8;
        if (column < width) pieces[piece].read(x + column);
    }
    withActivation(activation, [&](auto A) {
        float v[PIECES][8];
        unsigned largest = 0;
#pragma unroll
        for (int piece = 0; piece < PIECES; piece++) {
            const bool isInside = (piece * blockDim.x + threadIdx.x) * 8 < width;
            pieces[piece].unpackInto(v[piece]);
#pragma unroll
            for (int i = 0; i < 8; i++) {
                v[piece][i] = activated<decltype(A)::value>(v[piece][i]);
                largest = isInside ? larger(largest, v[piece][i]) : largest;
            }
        }
        const RowScale<Y> scale(largestOfBlock(largest, room));
        if (threadIdx.x == 0) scales[blockIdx.x] = scale.value;
#pragma unroll
        for (int piece = 0; piece < PIECES; piece++) {
            const int column = (piece * blockDim.x + threadIdx.x) * 8;
            if (column >= width) continue;
#pragma unroll
            for (int i = 0; i < 8; i++) v[piece][i] *= scale.inverse;
            store(y + column, v[piece]);
        }
    });
}

template <typename X, typename Y>
__device__ __forceinline__ void quantizeAny(
    const X* x, i64 xStride, Y* y, i64 yStride, float* scales, i64 rows, i64 width,
    int activation) {
    const int lane = threadIdx.x & 31;
    const i64 row = (i64)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
    if (row >= rows) return;
    x += row * xStride, y += row * yStride;
    withActivation(activation, [&](auto A) {
        float v[1];
        unsigned largest = 0;
#pragma unroll 1
        for (i64 column = lane; column < width; column += 32) {
            load(x + column, v);
            largest = larger(largest, activated<decltype(A)::value>(v[0]));
        }
        const RowScale<Y> scale(largestOfWarp(largest));
        if (lane == 0) scales[row] = scale.value;
#pragma unroll 1
        for (i64 column = lane; column < width; column += 32) {
            load(x + column, v);
            v[0] = activated<decltype(A)::value>(v[0]) * scale.inverse;
            store(y + column, v);
        }
    });
}

#define PARAMETERS(X, Y) \
    const X *x, i64 xStride, Y *y, i64 yStride, float *scales, i64 rows, i64 width, i64 activation

#define ONE(PIECES, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(640) quantize##PIECES##_##xName##_##yName(PARAMETERS(X, Y)) { \
        quantize<PIECES>(x, xStride, y, yStride, scales, width, activation); \
    }

#define FROM(xName, X, yName, Y) \
    ONE(1, xName, X, yName, Y) ONE(2, xName, X, yName, Y) ONE(4, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) quantizeAny_##xName##_##yName(PARAMETERS(X, Y)) { \
        quantizeAny(x, xStride, y, yStride, scales, rows, width, activation); \
    }

#define KERNELS(yName, Y) FROM(f32, float, yName, Y) FROM(bf16, bf16, yName, Y)

FOR_NUMBERS(KERNELS)
