// Rows of 8-bit numbers, int8 and float8_e4m3, from and to float32. Included once by each instruction set.

typedef uint8_t bvec __attribute__((vector_size(LANES)));
typedef int8_t cvec __attribute__((vector_size(LANES)));
typedef bvec loose_bvec __attribute__((aligned(1), may_alias));
typedef cvec loose_cvec __attribute__((aligned(1), may_alias));

/// 1.5 * 2^23: what is added to it is rounded to an integer, which its lowest bits then hold.
#define ROUNDER 12582912.0f

INLINE vec magnitudes(vec x) { return (vec)((uvec)x & 0x7FFFFFFF); }

static float magnitude(const float *x, size_t count) {
    // x - x is zero for finite numbers and NaN for others.
    vec largest = {0}, strays = {0};
    FOR_VECTORS(count, {
        const vec v = LOAD(x);
        largest = maximum(magnitudes(v), largest);
        strays += v - v;
    });
    float result = 0;
    for (int i = 0; i < LANES; i++) result = fmaxf(result, largest[i]);
    return result + sum(strays);
}

/// Rounded to integers within 127, in the lowest bits.
INLINE ivec rounded_int8(vec x) {
    const vec low = choose(x < splat(-127), splat(-127), x);
    const vec bounded = choose(low > splat(127), splat(127), low);
    return (ivec)(bounded + ROUNDER) - 0x4B400000;
}

static void to_int8(const float *x, float factor, int8_t *y, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        *(loose_cvec *)(y + i) =
            __builtin_convertvector(rounded_int8(load(x + i) * factor), cvec);
    }
    if (i < count) {
        const ivec rest = rounded_int8(load_part(x + i, count - i) * factor);
        for (size_t j = 0; i + j < count; j++) y[i + j] = (int8_t)rest[j];
    }
}

/// The bits of the nearest float8_e4m3: sign, 4 exponent bits with bias 7, 3 fraction bits.
INLINE uvec rounded_float8(vec x) {
    const vec size = magnitudes(x);
    const vec bounded = choose(size > splat(448), splat(448), size);
    const uvec bits = (uvec)bounded;
    // The exponent's bias is 127 there and 7 here. Below 2^-6 numbers are multiples of 2^-9.
    const uvec normal = ((bits + 0x7FFFF + ((bits >> 20) & 1)) >> 20) - (120 << 3);
    const uvec small = (uvec)(bounded * 512.0f + ROUNDER) - 0x4B400000;
    const vec number = choose(bounded < splat(0x1p-6f), (vec)small, (vec)normal);
    const uvec nan = {0};
    return (((uvec)x >> 24) & 0x80) | (uvec)choose(x == x, number, (vec)(nan + 0x7F));
}

static void to_float8(const float *x, float factor, uint8_t *y, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        *(loose_bvec *)(y + i) =
            __builtin_convertvector(rounded_float8(load(x + i) * factor), bvec);
    }
    if (i < count) {
        const uvec rest = rounded_float8(load_part(x + i, count - i) * factor);
        for (size_t j = 0; i + j < count; j++) y[i + j] = (uint8_t)rest[j];
    }
}

static void from_int8(const int8_t *x, float factor, float *y, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const ivec numbers = __builtin_convertvector(*(const loose_cvec *)(x + i), ivec);
        store(y + i, __builtin_convertvector(numbers, vec) * factor);
    }
    for (; i < count; i++) y[i] = (float)x[i] * factor;
}

/// The numbers of which these are the bits.
INLINE vec from_float8_bits(uvec bits) {
    // As a float32's bits exponent and fraction mean 2^-120 of the number, also of one below 2^-6.
    const uvec size = bits & 0x7F;
    const vec number = (vec)(size << 20) * 0x1p120f;
    const uvec nan = {0};
    const vec whole = choose(size == 0x7F, (vec)(nan + 0x7FC00000), number);
    return (vec)((uvec)whole | ((bits & 0x80) << 24));
}

static void from_float8(const uint8_t *x, float factor, float *y, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const uvec bits = __builtin_convertvector(*(const loose_bvec *)(x + i), uvec);
        store(y + i, from_float8_bits(bits) * factor);
    }
    if (i < count) {
        uvec bits = {0};
        for (size_t j = 0; i + j < count; j++) bits[j] = x[i + j];
        store_part(y + i, from_float8_bits(bits) * factor, count - i);
    }
}

static void scale_sums(
    const float *x, float factor, const float *scale, const float *bias, float *y,
    size_t count) {
    if (bias) {
        FOR_VECTORS(count, { STORE(y, LOAD(x) * (factor * LOAD(scale)) + LOAD(bias)); });
    } else {
        FOR_VECTORS(count, { STORE(y, LOAD(x) * (factor * LOAD(scale))); });
    }
}
