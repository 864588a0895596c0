// Vectors of LANES floats, in clang's portable notation; included once by each instruction set.
// The including file defines LANES, and SWAPPED, EVENS and ODDS as shuffles of one vector.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT ON

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES)));
typedef uint16_t hvec __attribute__((vector_size(2 * LANES)));
typedef vec loose_vec __attribute__((aligned(4), may_alias));
typedef uvec loose_uvec __attribute__((aligned(4), may_alias));
typedef hvec loose_hvec __attribute__((aligned(2), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const loose_vec *)p; }
INLINE void store(float *p, vec v) { *(loose_vec *)p = v; }
INLINE vec splat(float x) { return x - (vec){0}; }

/// The first `count` < LANES elements, then zeros.
INLINE vec load_part(const float *p, size_t count) {
    vec v = {0};
    for (size_t i = 0; i < count; i++) v[i] = p[i];
    return v;
}

INLINE void store_part(float *p, vec v, size_t count) {
    for (size_t i = 0; i < count; i++) p[i] = v[i];
}

INLINE float sum(vec v) {
    float total = 0;
    for (int i = 0; i < LANES; i++) total += v[i];
    return total;
}

INLINE vec choose(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }
INLINE vec maximum(vec a, vec b) { return choose(a > b, a, b); }

/// The exponential within 2 units of the last place; 0 below the smallest normal number, NaN for NaN.
/// exp(x) = 2^n exp(r) with n = round(x / ln 2), |r| <= ln 2 / 2 and Taylor's series for exp(r).
INLINE vec exponential(vec x) {
    const float lowest = -87.33654f, highest = 88.72283f;
    const vec bounded =
        choose(x < splat(lowest), splat(lowest), choose(x > splat(highest), splat(highest), x));
    // Adding and taking away 1.5 * 2^23 rounds to an integer.
    const vec magic = splat(12582912.0f);
    const vec n = (bounded * 1.44269504f + magic) - magic;
    // ln 2 in two parts, the first with trailing zeros, so that r is exact.
    const vec r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
    vec series = splat(1.0f / 5040);
    series = series * r + 1.0f / 720;
    series = series * r + 1.0f / 120;
    series = series * r + 1.0f / 24;
    series = series * r + 1.0f / 6;
    series = series * r + 0.5f;
    series = series * r + 1.0f;
    series = series * r + 1.0f;
    // 2^n in two factors, as n reaches 128.
    const ivec whole = __builtin_convertvector(n, ivec);
    const ivec half = whole >> 1;
    const vec power = (vec)((half + 127) << 23) * (vec)((whole - half + 127) << 23);
    return choose(x < splat(lowest), splat(0), series * power);
}

INLINE vec sigmoid(vec x) { return 1.0f / (1.0f + exponential(-x)); }

/// The normal distribution function, within 1e-7.
/// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", formula 7.1.26.
INLINE vec normal_distribution(vec x) {
    const vec z = choose(x < splat(0), -x, x) * 0.70710678f;
    const vec t = 1.0f / (1.0f + 0.3275911f * z);
    vec series = splat(1.061405429f);
    series = series * t - 1.453152027f;
    series = series * t + 1.421413741f;
    series = series * t - 0.284496736f;
    series = series * t + 0.254829592f;
    const vec tail = 0.5f * series * t * exponential(-z * z);
    return choose(x < splat(0), tail, 1.0f - tail);
}

INLINE vec activated(enum kernel_activation activation, vec x) {
    switch (activation) {
    case kernel_silu: return x * sigmoid(x);
    case kernel_gelu: return x * normal_distribution(x);
    // 0.5 (1 + tanh(u)) = sigmoid(2 u).
    case kernel_gelu_tanh:
        return x * sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
    default: return x;
    }
}

/// The upper halves of the bits, rounded to nearest, ties to even; NaN stays NaN.
INLINE uvec rounded_halves(vec x) {
    const uvec bits = (uvec)x;
    const uvec rounded = bits + 0x7FFF + ((bits >> 16) & 1);
    return (uvec)choose(x == x, (vec)rounded, (vec)(bits | 0x400000)) >> 16;
}
