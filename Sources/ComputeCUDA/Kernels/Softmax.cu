// weights[h, q, :] = softmax(scores[h, q, :] + bias[h, q, :]), a block for each row.
//
// scores: float32, rows `stride` elements apart, all rows of a head behind one another; only the first `keys` of a
// row count. bias: float32 with strides of its own, or null. weights: like scores, float32 or bfloat16; a float32
// row may take the place of its scores.
// Each thread takes every 256th element; maxima and sums of threads are joined in a fixed tree.

namespace softmax_rows {

constexpr int threads = 256;
constexpr int warps = threads / 32;

__device__ inline float warpMaximum(float x) {
    for (int step = 16; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
    return x;
}

__device__ inline float warpSum(float x) {
    for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

__device__ inline void store(float *target, float x) { *target = x; }

/// Rounds to the nearest bfloat16.
__device__ inline void store(unsigned short *target, float x) {
    unsigned short bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    *target = bits;
}

template <typename Weight>
__device__ inline void softmax(
    const float *scores, long long stride, const float *bias, long long biasHeadStride,
    long long biasRowStride, long long keys, Weight *weights) {
    __shared__ float shared[warps];
    const long long row = (long long)blockIdx.y * gridDim.x + blockIdx.x;
    scores += row * stride;
    weights += row * stride;
    if (bias) bias += blockIdx.y * biasHeadStride + blockIdx.x * biasRowStride;

    float largest = -__int_as_float(0x7f800000);
    for (long long k = threadIdx.x; k < keys; k += threads)
        largest = fmaxf(largest, scores[k] + (bias ? bias[k] : 0.0f));
    largest = warpMaximum(largest);
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = largest;
    __syncthreads();
    largest = warpMaximum(shared[threadIdx.x % warps]);
    __syncthreads();

    float sum = 0;
    for (long long k = threadIdx.x; k < keys; k += threads)
        sum += expf(scores[k] + (bias ? bias[k] : 0.0f) - largest);
    sum = warpSum(sum);
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = sum;
    __syncthreads();
    // Every lane holds one of the warps' sums, each of them four times.
    sum = warpSum(shared[threadIdx.x % warps]) * (warps / 32.0f);

    const float factor = 1.0f / sum;
    for (long long k = threadIdx.x; k < keys; k += threads)
        store(weights + k, expf(scores[k] + (bias ? bias[k] : 0.0f) - largest) * factor);
}

}  // namespace softmax_rows

extern "C" __global__ void __launch_bounds__(256) softmax_f32(
    const float *scores, long long stride, const float *bias, long long biasHeadStride,
    long long biasRowStride, long long keys, float *weights) {
    softmax_rows::softmax(scores, stride, bias, biasHeadStride, biasRowStride, keys, weights);
}

extern "C" __global__ void __launch_bounds__(256) softmax_bf16(
    const float *scores, long long stride, const float *bias, long long biasHeadStride,
    long long biasRowStride, long long keys, unsigned short *weights) {
    softmax_rows::softmax(scores, stride, bias, biasHeadStride, biasRowStride, keys, weights);
}
