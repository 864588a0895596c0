// Behind Common.cuh in every kernel file: numbers of 8 bits that stand for elements by a scale, and
// the scales of rows.

/// An 8-bit float with 4 exponent and 3 fraction bits, and an 8-bit integer: numbers that stand for
/// elements by a scale.
struct e4m3 {
    unsigned char bits;
};
struct s8 {
    signed char bits;
};

/// The largest number of a type.
__device__ constexpr float largestNumber(const e4m3*) { return 448.0f; }
__device__ constexpr float largestNumber(const s8*) { return 127.0f; }

/// Four floats rounded to nearest, ties to even, as four numbers, the first in the lowest byte.
/// What is too large becomes the largest number.
__device__ __forceinline__ unsigned packNumbers(const e4m3*, float a, float b, float c, float d) {
#if __CUDA_ARCH__ >= 890
    unsigned short low, high;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
    return low | (unsigned)high << 16;
#else
    const float v[4] = {a, b, c, d};
    unsigned numbers = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const unsigned sign = __float_as_uint(v[i]) >> 24 & 0x80;
        const float magnitude = fminf(fabsf(v[i]), 448.0f);
        unsigned bits = __float_as_uint(magnitude);
        // Adding just under half of the last kept place, plus that place's bit, rounds ties to
        // even; below 2^-6 numbers are multiples of 2^-9.
        bits = magnitude < 0.015625f ? __float2uint_rn(magnitude * 512.0f)
                                     : ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - 960;
        numbers |= (sign | (v[i] == v[i] ? bits : 0x7f)) << (8 * i);
    }
    return numbers;
#endif
}

__device__ __forceinline__ unsigned packNumbers(const s8*, float a, float b, float c, float d) {
    const float v[4] = {a, b, c, d};
    unsigned numbers = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int number;
        asm("cvt.rni.sat.s8.f32 %0, %1;" : "=r"(number) : "f"(v[i]));
        numbers |= (number & 0xff) << (8 * i);
    }
    return numbers;
}

/// A number as a float.
__device__ __forceinline__ float number(e4m3 x) {
    const unsigned exponent = x.bits >> 3 & 15, fraction = x.bits & 7;
    const float magnitude = exponent == 0 ? fraction * 0.001953125f
                            : (x.bits & 0x7f) == 0x7f
                                ? __uint_as_float(0x7fffffff)
                                : __uint_as_float((exponent + 120) << 23 | fraction << 20);
    return x.bits & 0x80 ? -magnitude : magnitude;
}
__device__ __forceinline__ float number(s8 x) { return x.bits; }

/// Stores 8 floats as successive numbers at a multiple of 8 bytes, or fewer one by one.
template <typename Number, int N>
__device__ __forceinline__ void storeNumbers(Number* to, const float (&v)[N]) {
    if constexpr (N == 8) {
        *reinterpret_cast<uint2*>(to) = make_uint2(packNumbers(to, v[0], v[1], v[2], v[3]),
                                                   packNumbers(to, v[4], v[5], v[6], v[7]));
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) to[i].bits = packNumbers(to, v[i], 0, 0, 0);
    }
}

template <int N>
__device__ __forceinline__ void store(e4m3* to, const float (&v)[N]) { storeNumbers(to, v); }
template <int N>
__device__ __forceinline__ void store(s8* to, const float (&v)[N]) { storeNumbers(to, v); }

// MARK: - Scales of rows

/// The larger of a magnitude so far, as its bits, and that of a float: NaN is larger than all.
__device__ __forceinline__ unsigned larger(unsigned magnitude, float x) {
    return max(magnitude, __float_as_uint(x) & 0x7fffffffu);
}

/// The largest over the warp.
__device__ __forceinline__ unsigned largestOfWarp(unsigned magnitude) {
    unsigned result;
    asm volatile("redux.sync.max.u32 %0, %1, 0xffffffff;" : "=r"(result) : "r"(magnitude));
    return result;
}

/// The largest over whole warps of a block. There must be another barrier before `room`, shared, is
/// used again.
__device__ __forceinline__ unsigned largestOfBlock(unsigned magnitude, unsigned (&room)[32]) {
    magnitude = largestOfWarp(magnitude);
    if ((threadIdx.x & 31) == 0) room[threadIdx.x >> 5] = magnitude;
    __syncthreads();
    const int lane = threadIdx.x & 31;
    return largestOfWarp(lane < blockDim.x >> 5 ? room[lane] : 0);
}

/// The scale with which a row's largest magnitude becomes the largest number; 1 for a row of zeros.
template <typename Number>
struct RowScale {
    float value, inverse;

    __device__ __forceinline__ RowScale(unsigned magnitude) {
        const float largest = __uint_as_float(magnitude);
        // The reciprocal of smaller ones may not be finite.
        const bool isZero = largest < 1e-30f;
        value = isZero ? 1.0f : largest / largestNumber((Number*)nullptr);
        inverse = isZero ? 1.0f : largestNumber((Number*)nullptr) / largest;
    }
};

/// Applies a macro to the types of numbers and their names.
#define FOR_NUMBERS(M) M(e4m3, e4m3) M(s8, s8)
