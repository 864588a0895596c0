// Convolutions with kernels of 3 x 3 or taps x 3 x 3 by Winograd's minimal filtering F(2 x 2, 3 x 3): four outputs from
// 16 products where 36 would be needed. Included once by each instruction set, after AttentionKernel.h.
//
// A tile is a square of 2 x 2 outputs and the square of 4 x 4 inputs that they see. With
//   V = Bᵀ d B of each input tile and channel, U = G g Gᵀ of each kernel (made when the weight is packed),
//   M = sum over channels and taps of U V, for each of the 16 places,  y = Aᵀ M A,
// the sums are 16 matrix products, for which frames and tiles are rows. In float32 this is as exact as the direct
// sum, whose chain of additions is longer.
// Source: Lavin and Gray, arXiv:1509.09308, section 4.1.

/// Places of a transformed tile.
#define PLACES 16

/// The parts of the scratch memory of one piece of work.
struct winograd_scratch {
    /// [PLACES, frames + taps - 1, tiles, channels], float32 or bfloat16.
    char *inputs;
    /// [PLACES, panels of outputs, frames, tiles, PANEL].
    float *sums;
    /// A pixel of zeros.
    char *zeros;
    /// Bytes of an input element, rows of one place of `inputs`, rows and panels of `sums`.
    size_t element, input_rows, rows, panels;
};

static size_t divide_winograd_scratch(
    const struct kernel_winograd *work, char *base, struct winograd_scratch *parts) {
    parts->element = work->is_bfloat16 ? sizeof(uint16_t) : sizeof(float);
    parts->input_rows = (work->frames + work->taps - 1) * work->tiles;
    parts->rows = work->frames * work->tiles;
    parts->panels = (work->out_channels + PANEL - 1) / PANEL;
    const size_t pixel = (work->channels * parts->element + 63) / 64 * 64;
    const size_t inputs = PLACES * parts->input_rows * work->channels * parts->element;
    parts->zeros = base;
    parts->inputs = parts->zeros + pixel;
    parts->sums = (float *)(parts->inputs + (inputs + 63) / 64 * 64);
    return (size_t)((char *)(parts->sums + PLACES * parts->panels * parts->rows * PANEL) - base);
}

static size_t winograd_scratch(const struct kernel_winograd *work) {
    static char base[1];
    struct winograd_scratch parts;
    return divide_winograd_scratch(work, base, &parts);
}

/// `width` elements of a pixel from channel `i` on, as float32.
INLINE vec load_channels(const char *pixel, size_t i, size_t width, int is_bfloat16) {
    if (!is_bfloat16) {
        const float *p = (const float *)pixel;
        return LOAD(p);
    }
    const uint16_t *p = (const uint16_t *)pixel + i;
    if (width == LANES) {
        const hvec halves = *(const loose_hvec *)p;
        return (vec)(__builtin_convertvector(halves, uvec) << 16);
    }
    uvec bits = {0};
    for (size_t j = 0; j < width; j++) bits[j] = (uint32_t)p[j] << 16;
    return (vec)bits;
}

/// Stores `width` elements of a pixel from channel `i` on.
INLINE void store_channels(char *pixel, size_t i, size_t width, int is_bfloat16, vec v) {
    if (!is_bfloat16) {
        float *p = (float *)pixel;
        STORE(p, v);
        return;
    }
    uint16_t *p = (uint16_t *)pixel + i;
    const hvec halves = __builtin_convertvector(rounded_halves(v), hvec);
    if (width == LANES) {
        *(loose_hvec *)p = halves;
    } else {
        for (size_t j = 0; j < width; j++) p[j] = halves[j];
    }
}

/// Bᵀ d: (a, b, c, d) -> (a - c, b + c, c - b, b - d).
#define TRANSFORM_INPUT(a, b, c, d) \
    do {                            \
        const vec p = a - c, q = b + c, r = c - b, s = b - d; \
        a = p, b = q, c = r, d = s; \
    } while (0)

/// V of one tile: `pixels` are its 16 inputs, `row` its place in each of the 16 matrices.
INLINE void transform_input_tile(
    const struct kernel_winograd *work, const struct winograd_scratch *parts,
    const char *const pixels[PLACES], size_t row, int is_bfloat16) {
    const size_t bytes = work->channels * parts->element;
    char *target = parts->inputs + row * bytes;
    FOR_VECTORS(work->channels, {
        vec d[PLACES];
        _Pragma("clang loop unroll(full)") for (int k = 0; k < PLACES; k++)
            d[k] = load_channels(pixels[k], i, width, is_bfloat16);
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++)
            TRANSFORM_INPUT(d[k], d[4 + k], d[8 + k], d[12 + k]);
        _Pragma("clang loop unroll(full)") for (int k = 0; k < PLACES; k += 4)
            TRANSFORM_INPUT(d[k], d[k + 1], d[k + 2], d[k + 3]);
        _Pragma("clang loop unroll(full)") for (int k = 0; k < PLACES; k++)
            store_channels(
                target + k * parts->input_rows * bytes, i, width, is_bfloat16, d[k]);
    });
}

/// V of every tile of every input frame; what is outside of the picture is zero.
static void transform_inputs(
    const struct kernel_winograd *work, const struct winograd_scratch *parts) {
    const size_t pixel = work->channels * parts->element;
    const size_t tiles_across = (work->out_width + 1) / 2;
    const size_t frames = work->frames + work->taps - 1;
    memset(parts->zeros, 0, pixel);
    for (size_t frame = 0; frame < frames; frame++) {
        const char *picture = (const char *)work->x + frame * work->height * work->width * pixel;
        for (size_t t = 0; t < work->tiles; t++) {
            const size_t tile = work->first_tile + t;
            const ptrdiff_t top = (ptrdiff_t)(tile / tiles_across * 2) - work->top;
            const ptrdiff_t left = (ptrdiff_t)(tile % tiles_across * 2) - work->left;
            const char *pixels[PLACES];
            for (int k = 0; k < PLACES; k++) {
                const ptrdiff_t y = top + k / 4, x = left + k % 4;
                const int is_inside = y >= 0 && y < (ptrdiff_t)work->height && x >= 0
                    && x < (ptrdiff_t)work->width;
                pixels[k] = is_inside
                    ? picture + ((size_t)y * work->width + (size_t)x) * pixel : parts->zeros;
            }
            if (work->is_bfloat16) {
                transform_input_tile(work, parts, pixels, frame * work->tiles + t, 1);
            } else {
                transform_input_tile(work, parts, pixels, frame * work->tiles + t, 0);
            }
        }
    }
}

/// M: for each place, the products of all rows with the kernels, summed over taps.
static void multiply_places(
    const struct kernel_winograd *work, const struct winograd_scratch *parts) {
    const size_t bytes = work->channels * parts->element;
    const size_t panel_bytes = bytes * PANEL;
    const char *weights = (const char *)work->weights;
    for (size_t place = 0; place < PLACES; place++) {
        const char *inputs = parts->inputs + place * parts->input_rows * bytes;
        for (size_t panel = 0; panel < parts->panels; panel++) {
            float *sums = parts->sums + (place * parts->panels + panel) * parts->rows * PANEL;
            for (size_t tap = 0; tap < work->taps; tap++) {
                const char *a = inputs + tap * work->tiles * bytes;
#ifdef HAS_PAIRS
                if (work->is_bfloat16)
                    pair_product(
                        parts->rows, work->channels / 2, (const uint32_t *)a,
                        work->channels / 2, 1, (const uint32_t *)weights, sums, tap > 0);
                else
#endif
                    product(
                        parts->rows, work->channels, (const float *)a, work->channels, 1,
                        (const float *)weights, sums, tap > 0);
                weights += panel_bytes;
            }
        }
    }
}

/// y = Aᵀ M A + bias + residual of one tile and one panel of outputs, as far as it is inside of the picture.
INLINE void transform_output_tile(
    const struct kernel_winograd *work, const struct winograd_scratch *parts, size_t panel,
    size_t row, size_t pixel, int rows, int columns, int is_bfloat16) {
    const size_t first = panel * PANEL;
    const size_t count =
        work->out_channels - first < PANEL ? work->out_channels - first : PANEL;
    const size_t bytes =
        work->out_channels * (is_bfloat16 ? sizeof(uint16_t) : sizeof(float));
    const size_t place_size = parts->panels * parts->rows * PANEL;
    const float *sums = parts->sums + (panel * parts->rows + row) * PANEL;
    FOR_VECTORS(count, {
        vec m[2][4];
        // Aᵀ M: (a, b, c, d) -> (a + b + c, b - c - d).
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
            const vec a = load(sums + (size_t)k * place_size + i);
            const vec b = load(sums + (size_t)(4 + k) * place_size + i);
            const vec c = load(sums + (size_t)(8 + k) * place_size + i);
            const vec d = load(sums + (size_t)(12 + k) * place_size + i);
            m[0][k] = a + b + c;
            m[1][k] = b - c - d;
        }
        const float *biases = work->bias ? work->bias + first : 0;
        const vec bias = biases ? LOAD(biases) : splat(0);
        _Pragma("clang loop unroll(full)") for (int r = 0; r < 2; r++) {
            vec out[2];
            out[0] = m[r][0] + m[r][1] + m[r][2] + bias;
            out[1] = m[r][1] - m[r][2] - m[r][3] + bias;
            _Pragma("clang loop unroll(full)") for (int c = 0; c < 2; c++) {
                if (r >= rows || c >= columns) continue;
                const size_t place = (pixel + (size_t)r * work->out_width + (size_t)c) * bytes;
                if (work->residual)
                    out[c] += load_channels(
                        (const char *)work->residual + place, first + i, width, is_bfloat16);
                store_channels((char *)work->y + place, first + i, width, is_bfloat16, out[c]);
            }
        }
    });
}

static void transform_outputs(
    const struct kernel_winograd *work, const struct winograd_scratch *parts) {
    const size_t tiles_across = (work->out_width + 1) / 2;
    for (size_t row = 0; row < parts->rows; row++) {
        const size_t frame = row / work->tiles;
        const size_t tile = work->first_tile + row % work->tiles;
        const size_t y = tile / tiles_across * 2, x = tile % tiles_across * 2;
        const size_t pixel = (frame * work->out_height + y) * work->out_width + x;
        const int rows = y + 1 < work->out_height ? 2 : 1;
        const int columns = x + 1 < work->out_width ? 2 : 1;
        for (size_t panel = 0; panel < parts->panels; panel++) {
            if (work->out_is_bfloat16) {
                transform_output_tile(work, parts, panel, row, pixel, rows, columns, 1);
            } else {
                transform_output_tile(work, parts, panel, row, pixel, rows, columns, 0);
            }
        }
    }
}

static void winograd(const struct kernel_winograd *work, void *scratch) {
    struct winograd_scratch parts;
    divide_winograd_scratch(work, (char *)scratch, &parts);
    transform_inputs(work, &parts);
    multiply_places(work, &parts);
    transform_outputs(work, &parts);
}
