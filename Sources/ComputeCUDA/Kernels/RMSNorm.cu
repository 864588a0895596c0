// y = x / sqrt(mean(x²) + epsilon) * weight over rows [rows, width]; then, with a table (cos, sin) of `head` floats for
// each row, the successive pairs of each `head` columns turned by it: (a cos - b sin, b cos + a sin).
//
// rmsNorm: a row lies in the registers of `lanes` threads, 32 elements each in 16-byte pieces: one pass over memory.
// `head` is a multiple of 8. x and y may be ranges of columns, so that keys go straight into the window.
// rmsNormTurns: the same for wide rows of bfloat16. A block does `turns` successive rows; the weight stays in registers too, and
// the next rows are on their way meanwhile. rmsNormTurns_bf16_e4m3 writes numbers of 8 bits by one
// scale for all. rmsNormAny: any width and alignment, in pairs where there is a table; a warp reads
// its row twice. Checked by the cases rmsNorm/*.

/// 16-byte pieces of a thread.
constexpr int PIECES = 4;

/// Turns the pairs of v by (cos, sin) of `angle`.
__device__ __forceinline__ void turnPairs(float (&v)[8], const float (&angle)[8]) {
#pragma unroll
    for (int i = 0; i < 8; i += 2) {
        const float a = v[i], b = v[i + 1];
        v[i] = a * angle[i] - b * angle[i + 1];
        v[i + 1] = b * angle[i] + a * angle[i + 1];
    }
}

template <typename X, typename Y>
__device__ __forceinline__ void rmsNorm(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, Groups tables, int head,
    i64 rows, int width, int lanes, float epsilon) {
    __shared__ float room[32];
    const RowPart part(lanes);
    const i64 row = (i64)blockIdx.x * part.rows + part.row;
    const bool isRow = row < rows;
    float v[PIECES][8];
    float squares = 0;
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        const int column = (piece * lanes + part.lane) * 8;
#pragma unroll
        for (int i = 0; i < 8; i++) v[piece][i] = 0;
        if (isRow && column < width) load(x + row * xStride + column, v[piece]);
    }
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++)
#pragma unroll
        for (int i = 0; i < 8; i++) squares += v[piece][i] * v[piece][i];
    const float factor = rsqrtf(part.sum(squares, lanes, room) / width + epsilon);
    if (!isRow) return;
    const float* const table = tables.first ? tables[row] : nullptr;
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        const int column = (piece * lanes + part.lane) * 8;
        if (column >= width) continue;
        float p[8];
        load(weight + column, p);
#pragma unroll
        for (int i = 0; i < 8; i++) v[piece][i] *= factor * p[i];
        if (table) {
            load(table + (unsigned)column % (unsigned)head, p);
            turnPairs(v[piece], p);
        }
        store(y + row * yStride + column, v[piece]);
    }
}

template <typename X, typename Y>
__device__ __forceinline__ void rmsNormTurns(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, Groups tables, int head,
    int rows, int width, int turns, float epsilon, const float* scale = nullptr) {
    __shared__ WarpSums sums[2];
    RowsInTurns<X> turn(x, xStride, rows, width, turns);
    float p[NORM_PIECES][8];
    int place[NORM_PIECES];
    const float inverseScale = scale ? 1.0f / *scale : 1.0f;
#pragma unroll
    for (int piece = 0; piece < NORM_PIECES; piece++) {
        const int column = turn.column + piece * turn.step;
        if (turn.has(piece)) load(weight + column, p[piece]);
#pragma unroll
        for (int i = 0; i < 8; i++) p[piece][i] *= inverseScale;
        place[piece] = (unsigned)column % (unsigned)head;
    }
    const float inverse = 1.0f / width;
    y += turn.row * yStride + turn.column;
    sums[0].clear(), sums[1].clear();
#pragma unroll 1
    for (; turn.left > 0; turn.advance(), y += yStride) {
        float v[NORM_PIECES][8], angle[NORM_PIECES][8];
        const float* const table = tables.first ? tables[turn.row] : nullptr;
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++)
            if (table && turn.has(piece)) load(table + place[piece], angle[piece]);
        turn.take(v);
        float squares = 0;
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++)
#pragma unroll
            for (int i = 0; i < 8; i++) squares += v[piece][i] * v[piece][i];
        // Two rooms, of which a row's is read until the next row's sum begins.
        const float factor = rsqrtf(sums[turn.row & 1].add(squares) * inverse + epsilon);
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++) {
            if (!turn.has(piece)) continue;
#pragma unroll
            for (int i = 0; i < 8; i++) v[piece][i] *= factor * p[piece][i];
            if (table) turnPairs(v[piece], angle[piece]);
            store(y + piece * turn.step, v[piece]);
        }
    }
}

template <typename X, typename Y>
__device__ __forceinline__ void rmsNormAny(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, Groups tables, int head,
    i64 rows, int width, float epsilon) {
    const int lane = threadIdx.x & 31;
    const i64 row = (i64)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
    if (row >= rows) return;
    x += row * xStride, y += row * yStride;
    float v[1];
    float squares = 0;
#pragma unroll 1
    for (int column = lane; column < width; column += 32) {
        load(x + column, v);
        squares += v[0] * v[0];
    }
    const float factor = rsqrtf(sumOfLanes(squares, 32) / width + epsilon);
    if (tables.first) {
        const float* const table = tables[row];
#pragma unroll 1
        for (int column = 2 * lane; column < width; column += 64) {
            float pair[2];
            load(x + column, pair);
            const float a = pair[0] * factor * weight[column];
            const float b = pair[1] * factor * weight[column + 1];
            const float* const angle = table + column % head;
            pair[0] = a * angle[0] - b * angle[1];
            pair[1] = b * angle[0] + a * angle[1];
            store(y + column, pair);
        }
    } else {
#pragma unroll 1
        for (int column = lane; column < width; column += 32) {
            load(x + column, v);
            v[0] *= factor * weight[column];
            store(y + column, v);
        }
    }
}

#define KERNELS(xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(384, 2) rmsNorm_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, const float* table, \
        i64 tableStride, i64 tableLength, i64 head, i64 rows, i64 width, i64 lanes, float epsilon) { \
        rmsNorm(x, xStride, y, yStride, weight, Groups(table, tableStride, tableLength), head, rows, \
                width, lanes, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(256) rmsNormAny_##xName##_##yName( \
        const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, const float* table, \
        i64 tableStride, i64 tableLength, i64 head, i64 rows, i64 width, i64, float epsilon) { \
        rmsNormAny(x, xStride, y, yStride, weight, Groups(table, tableStride, tableLength), head, \
                   rows, width, epsilon); \
    }

FOR_TYPES(KERNELS)

extern "C" __global__ void __launch_bounds__(NORM_THREADS, 2) rmsNormTurns_bf16_bf16(
    const bf16* x, i64 xStride, bf16* y, i64 yStride, const float* weight, const float* table,
    i64 tableStride, i64 tableLength, i64 head, i64 rows, i64 width, i64 turns, float epsilon) {
    rmsNormTurns(x, xStride, y, yStride, weight, Groups(table, tableStride, tableLength), head, rows,
                 width, turns, epsilon);
}

extern "C" __global__ void __launch_bounds__(NORM_THREADS, 2) rmsNormTurns_bf16_e4m3(
    const bf16* x, i64 xStride, e4m3* y, i64 yStride, const float* weight, const float* table,
    i64 tableStride, i64 tableLength, i64 head, i64 rows, i64 width, i64 turns, float epsilon,
    const float* scale) {
    rmsNormTurns(x, xStride, y, yStride, weight, Groups(table, tableStride, tableLength), head, rows,
                 width, turns, epsilon, scale);
}
