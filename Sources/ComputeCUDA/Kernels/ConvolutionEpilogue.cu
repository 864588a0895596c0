// y[row, c] = sums[row, c] + bias[c] + residual[row, c] over [rows, channels].
//
// sums: float32 or bfloat16, rows `stride` elements apart (channels filled up to the convolution's granule). bias:
// float32 [channels] or null. residual and y: of one type, contiguous; residual may be null or y itself.
// Version 2: eight channels to a thread where all rows allow accesses of 16 bytes (`wide`); else one.

namespace convolution_epilogue {

/// A bfloat16's bits.
typedef unsigned short bf16;

__device__ inline float load(const float *source) { return *source; }
__device__ inline float load(const bf16 *source) { return __uint_as_float((unsigned)*source << 16); }
__device__ inline void store(float *target, float x) { *target = x; }
__device__ inline void store(bf16 *target, float x) {
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(*target) : "f"(x));
}

/// Eight successive elements.
struct Eight {
    float4 low, high;
};

__device__ inline Eight loadEight(const float *source) {
    const float4 *quads = (const float4 *)source;
    return {quads[0], quads[1]};
}

__device__ inline float lowHalf(unsigned pair) { return __uint_as_float(pair << 16); }
__device__ inline float highHalf(unsigned pair) { return __uint_as_float(pair & 0xffff0000u); }

__device__ inline Eight loadEight(const bf16 *source) {
    const uint4 bits = *(const uint4 *)source;
    return {{lowHalf(bits.x), highHalf(bits.x), lowHalf(bits.y), highHalf(bits.y)},
            {lowHalf(bits.z), highHalf(bits.z), lowHalf(bits.w), highHalf(bits.w)}};
}

__device__ inline void storeEight(float *target, Eight x) {
    ((float4 *)target)[0] = x.low;
    ((float4 *)target)[1] = x.high;
}

/// Two floats rounded to bfloat16, the first in the lower half.
__device__ inline unsigned pair(float first, float second) {
    unsigned bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
    return bits;
}

__device__ inline void storeEight(bf16 *target, Eight x) {
    *(uint4 *)target = {pair(x.low.x, x.low.y), pair(x.low.z, x.low.w),
                        pair(x.high.x, x.high.y), pair(x.high.z, x.high.w)};
}

__device__ inline void add(float4 &a, float4 b) {
    a.x += b.x;
    a.y += b.y;
    a.z += b.z;
    a.w += b.w;
}

__device__ inline void add(Eight &a, Eight b) {
    add(a.low, b.low);
    add(a.high, b.high);
}

template <typename Sum, typename Output>
__device__ inline void finish(
    const Sum *sums, long long stride, const float *bias, const Output *residual, Output *y,
    long long rows, long long channels) {
    const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= rows * channels) return;
    const long long row = index / channels, channel = index % channels;
    float x = load(sums + row * stride + channel);
    if (bias) x += bias[channel];
    if (residual) x += load(residual + index);
    store(y + index, x);
}

template <typename Sum, typename Output>
__device__ inline void finishEight(
    const Sum *sums, long long stride, const float *bias, const Output *residual, Output *y,
    long long rows, long long channels) {
    const long long index = 8 * ((long long)blockIdx.x * blockDim.x + threadIdx.x);
    if (index >= rows * channels) return;
    const long long row = index / channels, channel = index % channels;
    Eight x = loadEight(sums + row * stride + channel);
    if (bias) add(x, loadEight(bias + channel));
    if (residual) add(x, loadEight(residual + index));
    storeEight(y + index, x);
}

}  // namespace convolution_epilogue

#define EPILOGUE(suffix, Sum, Output)                                                              \
    extern "C" __global__ void __launch_bounds__(256) finish_##suffix(                             \
        const Sum *sums, long long stride, const float *bias, const Output *residual, Output *y,   \
        long long rows, long long channels) {                                                      \
        convolution_epilogue::finish(sums, stride, bias, residual, y, rows, channels);             \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(256) finishEight_##suffix(                        \
        const Sum *sums, long long stride, const float *bias, const Output *residual, Output *y,   \
        long long rows, long long channels) {                                                      \
        convolution_epilogue::finishEight(sums, stride, bias, residual, y, rows, channels);        \
    }

EPILOGUE(f32_f32, float, float)
EPILOGUE(f32_bf16, float, unsigned short)
EPILOGUE(bf16_f32, unsigned short, float)
EPILOGUE(bf16_bf16, unsigned short, unsigned short)
