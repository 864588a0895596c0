// Attention of one head, tile by tile of keys with running statistics, so that scores never leave the cache.
// Included once by each instruction set.
//
// Lanes run along the queries: scores are kept transposed, [keys, PANEL], so that the maximum and the sum
// of a softmax need no step across lanes, and keys are used in the order in which they lie. Both products are
// then "rows of broadcast numbers times a panel":
//   scores [keys, PANEL]  = key [keys, head] queryᵀ [head, PANEL]
//   outᵀ   [head, PANEL] += valueᵀ [head, keys] weights [keys, PANEL]
// With HAS_PAIRS, bfloat16 is multiplied in pairs along the summed axis, the sums being float32.
// Source of the running statistics: Milakov and Gimelshein, arXiv:1805.02867; tiles: Dao et al., arXiv:2205.14135.

/// Queries in a panel.
#define PANEL (2 * LANES)
/// Keys in a tile: a multiple of ROWS and of 2, such that a tile of keys and values stays in the cache.
#define TILE 144

/// c [rows, PANEL] (+)= a [rows, depth] b [depth, PANEL], `rows` being a constant where this is inlined.
#define DEFINE_PRODUCT(NAME, ELEMENT, SPREAD, LOAD_B, MULTIPLY_ADD)                             \
    INLINE void NAME##_rows(                                                                   \
        const int rows, size_t depth, const ELEMENT *a, size_t row_stride,                     \
        size_t depth_stride, const ELEMENT *b, float *c, int accumulate) {                     \
        vec sums[ROWS][2];                                                                     \
        _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {                    \
            sums[r][0] = accumulate ? load(c + r * PANEL) : splat(0);                          \
            sums[r][1] = accumulate ? load(c + r * PANEL + LANES) : splat(0);                  \
        }                                                                                      \
        for (size_t k = 0; k < depth; k++) {                                                   \
            const __typeof__(LOAD_B(b)) left = LOAD_B(b + k * PANEL);                          \
            const __typeof__(LOAD_B(b)) right = LOAD_B(b + k * PANEL + LANES);                 \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {                \
                const __typeof__(LOAD_B(b)) number = SPREAD(a[r * row_stride + k * depth_stride]); \
                sums[r][0] = MULTIPLY_ADD(sums[r][0], number, left);                           \
                sums[r][1] = MULTIPLY_ADD(sums[r][1], number, right);                          \
            }                                                                                  \
        }                                                                                      \
        _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {                    \
            store(c + r * PANEL, sums[r][0]);                                                  \
            store(c + r * PANEL + LANES, sums[r][1]);                                          \
        }                                                                                      \
    }                                                                                          \
    static void NAME(                                                                          \
        size_t rows, size_t depth, const ELEMENT *a, size_t row_stride, size_t depth_stride,   \
        const ELEMENT *b, float *c, int accumulate) {                                          \
        size_t r = 0;                                                                          \
        for (; r + ROWS <= rows; r += ROWS)                                                    \
            NAME##_rows(                                                                       \
                ROWS, depth, a + r * row_stride, row_stride, depth_stride, b, c + r * PANEL,   \
                accumulate);                                                                   \
        for (; r + 4 <= rows; r += 4)                                                          \
            NAME##_rows(                                                                       \
                4, depth, a + r * row_stride, row_stride, depth_stride, b, c + r * PANEL,      \
                accumulate);                                                                   \
        for (; r < rows; r++)                                                                  \
            NAME##_rows(                                                                       \
                1, depth, a + r * row_stride, row_stride, depth_stride, b, c + r * PANEL,      \
                accumulate);                                                                   \
    }

#define MULTIPLY_ADD_FLOATS(sum, a, b) ((sum) + (a) * (b))
DEFINE_PRODUCT(product, float, splat, load, MULTIPLY_ADD_FLOATS)

#ifdef HAS_PAIRS
INLINE uvec load_pairs(const uint32_t *p) { return *(const loose_uvec *)p; }
INLINE uvec splat_pair(uint32_t x) { return x - (uvec){0}; }
#define MULTIPLY_ADD_PAIRS(sum, a, b) \
    ((vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
DEFINE_PRODUCT(pair_product, uint32_t, splat_pair, load_pairs, MULTIPLY_ADD_PAIRS)
#endif

/// The parts of the scratch memory of one piece of work.
struct attention_scratch {
    /// A tile of keys and one of values [TILE, head]; as pairs [TILE, head / 2] and [TILE / 2, head].
    float *keys, *values;
    /// [TILE, PANEL]; weights as pairs lie over them, as [TILE / 2, PANEL].
    float *scores;
    /// One row of a head.
    float *row;
    /// For each panel: queries [head, PANEL], sums [head, PANEL], running maxima and sums [2, PANEL].
    float *panels;
    /// `head` rounded up to a multiple of 2, and elements from one panel to the next.
    size_t head, panel_size;
};

static size_t divide_attention_scratch(
    const struct kernel_attention *work, float *base, struct attention_scratch *parts) {
    const size_t head = (work->head + 15) / 16 * 16;
    const size_t panels = (work->queries + PANEL - 1) / PANEL;
    parts->head = (work->head + 1) / 2 * 2;
    parts->panel_size = (2 * head + 2) * PANEL;
    parts->keys = base;
    parts->values = parts->keys + TILE * head;
    parts->scores = parts->values + TILE * head;
    parts->row = parts->scores + TILE * PANEL;
    parts->panels = parts->row + head;
    return (size_t)(parts->panels + panels * parts->panel_size - base) * sizeof(float);
}

static size_t attention_scratch(const struct kernel_attention *work) {
    static float base[1];
    struct attention_scratch parts;
    return divide_attention_scratch(work, base, &parts);
}

INLINE int uses_pairs(const struct kernel_attention *work) {
#ifdef HAS_PAIRS
    return work->is_bfloat16;
#else
    (void)work;
    return 0;
#endif
}

/// A row as float32: in place, or widened into `room`.
INLINE const float *float_row(
    const void *base, ptrdiff_t stride, size_t row, const struct kernel_attention *work,
    float *room) {
    const ptrdiff_t offset = (ptrdiff_t)row * stride;
    if (!work->is_bfloat16) return (const float *)base + offset;
    widen((const uint16_t *)base + offset, room, work->head);
    return room;
}

/// Transposes the queries of a panel to [head, PANEL], zeros standing for those beyond the last.
static void pack_queries(
    const struct kernel_attention *work, const struct attention_scratch *parts, size_t first,
    float *panel) {
    const size_t count = work->queries - first < PANEL ? work->queries - first : PANEL;
    memset(panel, 0, parts->head * PANEL * sizeof(float));
    for (size_t q = 0; q < count; q++) {
        if (uses_pairs(work)) {
            const uint16_t *row =
                (const uint16_t *)work->query + (ptrdiff_t)(first + q) * work->query_stride;
            uint16_t *pairs = (uint16_t *)panel;
            for (size_t d = 0; d < work->head; d++)
                pairs[(d / 2 * PANEL + q) * 2 + d % 2] = row[d];
        } else {
            const float *row =
                float_row(work->query, work->query_stride, first + q, work, parts->row);
            for (size_t d = 0; d < work->head; d++) panel[d * PANEL + q] = row[d];
        }
    }
}

/// Brings a tile of keys and values together, as strides of whole pages would fall on the same cache lines.
static void pack_tile(
    const struct kernel_attention *work, const struct attention_scratch *parts, size_t first,
    size_t count) {
    const size_t head = parts->head;
    if (!uses_pairs(work)) {
        for (size_t k = 0; k < count; k++) {
            float *key = parts->keys + k * head, *value = parts->values + k * head;
            const float *from = float_row(work->key, work->key_stride, first + k, work, key);
            if (from != key) memcpy(key, from, work->head * sizeof(float));
            from = float_row(work->value, work->value_stride, first + k, work, value);
            if (from != value) memcpy(value, from, work->head * sizeof(float));
            if (head != work->head) key[head - 1] = value[head - 1] = 0;
        }
        return;
    }
    uint16_t *keys = (uint16_t *)parts->keys, *values = (uint16_t *)parts->values;
    if (count % 2) memset(values + (count / 2) * 2 * head, 0, 2 * head * sizeof(uint16_t));
    for (size_t k = 0; k < count; k++) {
        const uint16_t *key =
            (const uint16_t *)work->key + (ptrdiff_t)(first + k) * work->key_stride;
        const uint16_t *value =
            (const uint16_t *)work->value + (ptrdiff_t)(first + k) * work->value_stride;
        memcpy(keys + k * head, key, work->head * sizeof(uint16_t));
        if (head != work->head) keys[k * head + head - 1] = 0;
        uint16_t *pairs = values + (k / 2) * 2 * head + k % 2;
        for (size_t d = 0; d < work->head; d++) pairs[2 * d] = value[d];
    }
}

/// scores = scores * scale + bias of one tile, by lanes of queries.
static void add_bias(
    const struct kernel_attention *work, size_t first_query, size_t first_key, size_t count,
    float *scores) {
    const size_t queries =
        work->queries - first_query < PANEL ? work->queries - first_query : PANEL;
    for (size_t q = 0; q < queries; q++) {
        const float *bias =
            work->bias + (ptrdiff_t)(first_query + q) * work->bias_stride + first_key;
        for (size_t k = 0; k < count; k++)
            scores[k * PANEL + q] = scores[k * PANEL + q] * work->scale + bias[k];
    }
}

/// Turns the scores of a tile into exp(score - maximum), and scales what was summed up to now accordingly.
static void weigh(
    float scale, size_t count, size_t head, float *scores, float *sums, float *statistics) {
    for (int lane = 0; lane < PANEL; lane += LANES) {
        vec largest = load(statistics + lane), total = load(statistics + PANEL + lane);
        const vec before = largest;
        for (size_t k = 0; k < count; k++)
            largest = maximum(load(scores + k * PANEL + lane) * scale, largest);
        const vec shrink = exponential(before - largest);
        vec tile_total = splat(0);
        for (size_t k = 0; k < count; k++) {
            const vec weight = exponential(load(scores + k * PANEL + lane) * scale - largest);
            tile_total += weight;
            store(scores + k * PANEL + lane, weight);
        }
        total = total * shrink + tile_total;
        store(statistics + lane, largest);
        store(statistics + PANEL + lane, total);
        for (size_t d = 0; d < head; d++)
            store(sums + d * PANEL + lane, load(sums + d * PANEL + lane) * shrink);
    }
}

#ifdef HAS_PAIRS
/// Rounds weights [count, PANEL] to bfloat16 pairs [count / 2, PANEL] in place; an odd last one meets zero.
static void pair_weights(size_t count, float *scores) {
    if (count % 2) memset(scores + count * PANEL, 0, PANEL * sizeof(float));
    for (size_t k = 0; k < count; k += 2) {
        for (int lane = 0; lane < PANEL; lane += LANES) {
            const uvec low = rounded_halves(load(scores + k * PANEL + lane));
            const uvec high = rounded_halves(load(scores + (k + 1) * PANEL + lane));
            *(loose_uvec *)(scores + k / 2 * PANEL + lane) = low | (high << 16);
        }
    }
}
#endif

/// One tile of keys for one panel of queries.
static void attend_tile(
    const struct kernel_attention *work, const struct attention_scratch *parts,
    size_t first_query, size_t first_key, size_t count, float *panel) {
    const size_t head = parts->head;
    float *sums = panel + head * PANEL, *statistics = panel + 2 * head * PANEL;
    float scale = work->scale;
#ifdef HAS_PAIRS
    if (uses_pairs(work))
        pair_product(
            count, head / 2, (const uint32_t *)parts->keys, head / 2, 1,
            (const uint32_t *)panel, parts->scores, 0);
    else
#endif
        product(count, head, parts->keys, head, 1, panel, parts->scores, 0);
    if (work->bias) {
        add_bias(work, first_query, first_key, count, parts->scores);
        scale = 1;
    }
    weigh(scale, count, head, parts->scores, sums, statistics);
#ifdef HAS_PAIRS
    if (uses_pairs(work)) {
        pair_weights(count, parts->scores);
        pair_product(
            head, (count + 1) / 2, (const uint32_t *)parts->values, 1, head,
            (const uint32_t *)parts->scores, sums, 1);
        return;
    }
#endif
    product(head, count, parts->values, 1, head, parts->scores, sums, 1);
}

/// out = sumsᵀ over the sum of the weights.
static void unpack_sums(
    const struct kernel_attention *work, const struct attention_scratch *parts, size_t first,
    const float *panel) {
    const size_t count = work->queries - first < PANEL ? work->queries - first : PANEL;
    const float *sums = panel + parts->head * PANEL;
    const float *totals = panel + 2 * parts->head * PANEL + PANEL;
    for (size_t q = 0; q < count; q++) {
        const ptrdiff_t offset = (ptrdiff_t)(first + q) * work->out_stride;
        float *row = work->is_bfloat16 ? parts->row : (float *)work->out + offset;
        const float factor = 1 / totals[q];
        for (size_t d = 0; d < work->head; d++) row[d] = sums[d * PANEL + q] * factor;
        if (work->is_bfloat16) narrow(row, (uint16_t *)work->out + offset, work->head);
    }
}

static void attention(const struct kernel_attention *work, void *scratch) {
    struct attention_scratch parts;
    divide_attention_scratch(work, (float *)scratch, &parts);
    for (size_t first = 0; first < work->queries; first += PANEL) {
        float *panel = parts.panels + first / PANEL * parts.panel_size;
        float *sums = panel + parts.head * PANEL;
        pack_queries(work, &parts, first, panel);
        memset(sums, 0, (parts.head + 2) * PANEL * sizeof(float));
        for (int lane = 0; lane < PANEL; lane++)
            sums[parts.head * PANEL + lane] = -3.402823466e38f;
    }
    for (size_t key = 0; key < work->keys; key += TILE) {
        const size_t count = work->keys - key < TILE ? work->keys - key : TILE;
        pack_tile(work, &parts, key, count);
        for (size_t first = 0; first < work->queries; first += PANEL)
            attend_tile(
                work, &parts, first, key, count,
                parts.panels + first / PANEL * parts.panel_size);
    }
    for (size_t first = 0; first < work->queries; first += PANEL)
        unpack_sums(work, &parts, first, parts.panels + first / PANEL * parts.panel_size);
}
