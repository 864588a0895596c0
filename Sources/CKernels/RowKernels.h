// Rows of float32: conversions, activations, norms, rotation. Included once by each instruction set.

/// Runs BODY for each vector of a row of `count` elements, and for the rest as a part of one: LOAD(p) and
/// STORE(p, v) stand for either.
#define FOR_VECTORS(count, BODY)                                       \
    do {                                                               \
        size_t i = 0;                                                  \
        for (; i + LANES <= (count); i += LANES) {                     \
            const size_t width = LANES;                                \
            BODY                                                       \
        }                                                              \
        if (i < (count)) {                                             \
            const size_t width = (count) - i;                          \
            BODY                                                       \
        }                                                              \
    } while (0)
#define LOAD(p) (width == LANES ? load((p) + i) : load_part((p) + i, width))
#define STORE(p, v) (width == LANES ? store((p) + i, v) : store_part((p) + i, v, width))

static void widen(const uint16_t *x, float *y, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const hvec halves = *(const loose_hvec *)(x + i);
        *(loose_uvec *)(y + i) = __builtin_convertvector(halves, uvec) << 16;
    }
    for (; i < count; i++) {
        const uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}

static void narrow(const float *x, uint16_t *y, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        *(loose_hvec *)(y + i) = __builtin_convertvector(rounded_halves(load(x + i)), hvec);
    }
    if (i < count) {
        const uvec halves = rounded_halves(load_part(x + i, count - i));
        for (size_t j = 0; i + j < count; j++) y[i + j] = (uint16_t)halves[j];
    }
}

/// Makes one loop for each activation, so that the choice is not made inside it.
#define FOR_ACTIVATION(CALL)                                           \
    switch (activation) {                                              \
    case kernel_identity: CALL(kernel_identity); break;                \
    case kernel_silu: CALL(kernel_silu); break;                        \
    case kernel_gelu: CALL(kernel_gelu); break;                        \
    case kernel_gelu_tanh: CALL(kernel_gelu_tanh); break;              \
    }

INLINE void activate_as(
    enum kernel_activation activation, const float *x, float *y, size_t count) {
    FOR_VECTORS(count, { STORE(y, activated(activation, LOAD(x))); });
}

static void activate(
    enum kernel_activation activation, const float *x, float *y, size_t count) {
#define CALL(which) activate_as(which, x, y, count)
    FOR_ACTIVATION(CALL)
#undef CALL
}

INLINE void multiply_as(
    enum kernel_activation activation, const float *x, const float *factor, float *y,
    size_t count) {
    FOR_VECTORS(count, { STORE(y, activated(activation, LOAD(x)) * LOAD(factor)); });
}

static void multiply(
    enum kernel_activation activation, const float *x, const float *factor, float *y,
    size_t count) {
#define CALL(which) multiply_as(which, x, factor, y, count)
    FOR_ACTIVATION(CALL)
#undef CALL
}

static void add(
    const float *x, const float *addend, const float *gate, float factor, float *y,
    size_t count) {
    if (gate) {
        FOR_VECTORS(count, { STORE(y, LOAD(x) + factor * LOAD(addend) * LOAD(gate)); });
    } else {
        FOR_VECTORS(count, { STORE(y, LOAD(x) + factor * LOAD(addend)); });
    }
}

static void affine(
    const float *x, const float *scale, const float *shift, float *y, size_t count) {
    FOR_VECTORS(count, { STORE(y, LOAD(x) * LOAD(scale) + LOAD(shift)); });
}

/// The sum over a row; four partial sums hide the latency of additions.
INLINE float row_sum(const float *x, size_t count) {
    vec a = {0}, b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        a += load(x + i);
        b += load(x + i + LANES);
        c += load(x + i + 2 * LANES);
        d += load(x + i + 3 * LANES);
    }
    for (; i + LANES <= count; i += LANES) a += load(x + i);
    return sum((a + b) + (c + d)) + (i < count ? sum(load_part(x + i, count - i)) : 0);
}

/// The sum of squared distances from `mean` over a row.
INLINE float row_squares(const float *x, float mean, size_t count) {
    vec a = {0}, b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        const vec p = load(x + i) - mean, q = load(x + i + LANES) - mean;
        const vec r = load(x + i + 2 * LANES) - mean, s = load(x + i + 3 * LANES) - mean;
        a += p * p;
        b += q * q;
        c += r * r;
        d += s * s;
    }
    for (; i + LANES <= count; i += LANES) {
        const vec p = load(x + i) - mean;
        a += p * p;
    }
    float total = sum((a + b) + (c + d));
    for (; i < count; i++) total += (x[i] - mean) * (x[i] - mean);
    return total;
}

static void layer_norm(
    const float *x, const float *weight, const float *bias, const float *scale,
    const float *shift, float epsilon, float *y, size_t count) {
    const float mean = row_sum(x, count) / (float)count;
    const float variance = row_squares(x, mean, count) / (float)count;
    const float factor = 1 / sqrtf(variance + epsilon);
    FOR_VECTORS(count, {
        vec v = (LOAD(x) - mean) * factor;
        if (weight) v *= LOAD(weight);
        if (bias) v += LOAD(bias);
        if (scale) v *= 1.0f + LOAD(scale);
        if (shift) v += LOAD(shift);
        STORE(y, v);
    });
}

static void rms_norm(
    const float *x, const float *weight, float epsilon, float *y, size_t count) {
    const float factor = 1 / sqrtf(row_squares(x, 0, count) / (float)count + epsilon);
    FOR_VECTORS(count, { STORE(y, LOAD(x) * factor * LOAD(weight)); });
}

INLINE void channel_norm_as(
    enum kernel_activation activation, const float *x, const float *weight, float factor,
    float *y, size_t count) {
    FOR_VECTORS(count, {
        STORE(y, activated(activation, LOAD(x) * factor * LOAD(weight)));
    });
}

static void channel_norm(
    enum kernel_activation activation, const float *x, const float *weight, float *y,
    size_t count) {
    const float length = fmaxf(sqrtf(row_squares(x, 0, count)), 1e-12f);
    const float factor = sqrtf((float)count) / length;
#define CALL(which) channel_norm_as(which, x, weight, factor, y, count)
    FOR_ACTIVATION(CALL)
#undef CALL
}

static void rotate(const float *x, const float *table, float *y, size_t heads, size_t head) {
    ivec signs = {0};
    for (int i = 0; i < LANES; i += 2) signs[i] = INT32_MIN;
    for (size_t h = 0; h < heads; h++, x += head, y += head) {
        size_t i = 0;
        for (; i + LANES <= head; i += LANES) {
            const vec pairs = load(x + i), angles = load(table + i);
            // (a, b) -> (a cos - b sin, b cos + a sin)
            const vec sines = (vec)((ivec)ODDS(angles) ^ signs);
            store(y + i, pairs * EVENS(angles) + SWAPPED(pairs) * sines);
        }
        for (; i + 1 < head; i += 2) {
            const float a = x[i], b = x[i + 1], c = table[i], s = table[i + 1];
            y[i] = a * c - b * s;
            y[i + 1] = a * s + b * c;
        }
    }
}
