// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, then * (1 + scale) + shift, over rows [rows, width].
// weight and bias [width], scale and shift one row for each group of rows; each may be null.
//
// layerNorm (bare), layerNormW (weight and bias), layerNormM (scale and shift): a row lies in the registers of `lanes`
// threads, 4 pieces of 8 elements each, at a multiple of 16 bytes: one pass over memory and two over registers, so that
// a mean far from zero does not cancel the variance.
// layerNormTurns, layerNormTurnsW, layerNormTurnsM: the same for wide rows of bfloat16. A block does `turns` (in place of `lanes`)
// successive rows; parameters stay in registers too, and the next rows are on their way meanwhile. Scales and shifts have one
// stride and length of groups. layerNormTurns..._bf16_e4m3 and _s8 write numbers of 8 bits and a
// scale for each row. layerNormAny: any width, alignment and parameters, each of which may be null;
// a warp reads its row three times, from the cache. Checked by the cases layerNorm/*.

/// Pieces of 8 elements of a thread.
constexpr int PIECES = 4;

template <bool WEIGHTED, bool MODULATED, typename X, typename Y>
__device__ __forceinline__ void layerNorm(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, const float* bias,
    Groups scales, Groups shifts, i64 rows, int width, int lanes, float epsilon) {
    __shared__ float room[2][32];
    const RowPart part(lanes);
    const i64 row = (i64)blockIdx.x * part.rows + part.row;
    const bool isRow = row < rows;
    const float inverse = 1.0f / width;
    x += row * xStride;
    float v[PIECES][8];
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        const int column = (piece * lanes + part.lane) * 8;
#pragma unroll
        for (int i = 0; i < 8; i++) v[piece][i] = 0;
        if (isRow && column < width) load(x + column, v[piece]);
    }
    float sum = 0, squares = 0;
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++)
#pragma unroll
        for (int i = 0; i < 8; i++) sum += v[piece][i];
    const float mean = part.sum(sum, lanes, room[0]) * inverse;
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        const bool isInside = (piece * lanes + part.lane) * 8 < width;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[piece][i] = isInside ? v[piece][i] - mean : 0;
            squares += v[piece][i] * v[piece][i];
        }
    }
    const float factor = rsqrtf(part.sum(squares, lanes, room[1]) * inverse + epsilon);
    if (!isRow) return;
    y += row * yStride;
    const float* const scale = MODULATED ? scales[row] : nullptr;
    const float* const shift = MODULATED ? shifts[row] : nullptr;
#pragma unroll
    for (int piece = 0; piece < PIECES; piece++) {
        const int column = (piece * lanes + part.lane) * 8;
        if (column >= width) return;
        float p[8], q[8];
#pragma unroll
        for (int i = 0; i < 8; i++) v[piece][i] *= factor;
        if constexpr (WEIGHTED) {
            load(weight + column, p), load(bias + column, q);
#pragma unroll
            for (int i = 0; i < 8; i++) v[piece][i] = v[piece][i] * p[i] + q[i];
        }
        if constexpr (MODULATED) {
            load(scale + column, p), load(shift + column, q);
#pragma unroll
            for (int i = 0; i < 8; i++) v[piece][i] = v[piece][i] * (1.0f + p[i]) + q[i];
        }
        store(y + column, v[piece]);
    }
}

template <bool WEIGHTED, bool MODULATED, typename X, typename Y>
__device__ __forceinline__ void layerNormTurns(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, const float* bias,
    Groups scales, Groups shifts, int rows, int width, int turns, float epsilon,
    float* rowScales = nullptr) {
    constexpr bool IS_NUMBERS = sizeof(Y) == 1;
    __shared__ unsigned room[32];
    __shared__ WarpSums sums, squareSums;
    RowsInTurns<X> turn(x, xStride, rows, width, turns);
    // v * p + q: weight and bias, or 1 + scale and shift of the row's group.
    float p[NORM_PIECES][8], q[NORM_PIECES][8];
    const auto loadParameters = [&](const float* factors, const float* addends) {
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++) {
            if (!turn.has(piece)) continue;
            load(factors + turn.column + piece * turn.step, p[piece]);
            load(addends + turn.column + piece * turn.step, q[piece]);
#pragma unroll
            for (int i = 0; i < 8; i++) p[piece][i] += MODULATED ? 1.0f : 0.0f;
        }
    };
    if constexpr (WEIGHTED) loadParameters(weight, bias);
    i64 group = -1;
    const float inverse = 1.0f / width;
    y += turn.row * yStride + turn.column;
    sums.clear(), squareSums.clear();
#pragma unroll 1
    for (; turn.left > 0; turn.advance(), y += yStride) {
        if (MODULATED && scales.offset(turn.row) != group) {
            group = scales.offset(turn.row);
            loadParameters(scales.first + group, shifts.first + group);
        }
        float v[NORM_PIECES][8];
        turn.take(v);
        float sum = 0, squares = 0;
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++)
#pragma unroll
            for (int i = 0; i < 8; i++) sum += v[piece][i];
        const float mean = sums.add(sum) * inverse;
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++)
#pragma unroll
            for (int i = 0; i < 8; i++) {
                v[piece][i] -= mean;
                squares += turn.has(piece) ? v[piece][i] * v[piece][i] : 0;
            }
        const float factor = rsqrtf(squareSums.add(squares) * inverse + epsilon);
        unsigned largest = 0;
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++) {
            if (!turn.has(piece)) continue;
#pragma unroll
            for (int i = 0; i < 8; i++) {
                v[piece][i] *= factor;
                if (WEIGHTED || MODULATED) v[piece][i] = v[piece][i] * p[piece][i] + q[piece][i];
                if (IS_NUMBERS) largest = larger(largest, v[piece][i]);
            }
            if (!IS_NUMBERS) store(y + piece * turn.step, v[piece]);
        }
        if constexpr (IS_NUMBERS) {
            const RowScale<Y> scale(largestOfBlock(largest, room));
            if (threadIdx.x == 0) rowScales[turn.row] = scale.value;
#pragma unroll
            for (int piece = 0; piece < NORM_PIECES; piece++) {
                if (!turn.has(piece)) continue;
#pragma unroll
                for (int i = 0; i < 8; i++) v[piece][i] *= scale.inverse;
                store(y + piece * turn.step, v[piece]);
            }
        }
    }
}

template <typename X, typename Y>
__device__ __forceinline__ void layerNormAny(
    const X* x, i64 xStride, Y* y, i64 yStride, const float* weight, const float* bias,
    Groups scales, Groups shifts, i64 rows, int width, float epsilon) {
    const int lane = threadIdx.x & 31;
    const i64 row = (i64)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
    if (row >= rows) return;
    x += row * xStride, y += row * yStride;
    float v[1];
    float sum = 0, squares = 0;
#pragma unroll 1
    for (int column = lane; column < width; column += 32) load(x + column, v), sum += v[0];
    const float mean = sumOfLanes(sum, 32) / width;
#pragma unroll 1
    for (int column = lane; column < width; column += 32) {
        load(x + column, v);
        squares += (v[0] - mean) * (v[0] - mean);
    }
    const float factor = rsqrtf(sumOfLanes(squares, 32) / width + epsilon);
    const float* const scale = scales.first ? scales[row] : nullptr;
    const float* const shift = shifts.first ? shifts[row] : nullptr;
#pragma unroll 1
    for (int column = lane; column < width; column += 32) {
        load(x + column, v);
        v[0] = (v[0] - mean) * factor;
        if (weight) v[0] *= weight[column];
        if (bias) v[0] += bias[column];
        if (scale) v[0] *= 1.0f + scale[column];
        if (shift) v[0] += shift[column];
        store(y + column, v);
    }
}

#define PARAMETERS(X, Y) \
    const X *x, i64 xStride, Y *y, i64 yStride, const float *weight, const float *bias, \
        const float *scale, i64 scaleStride, i64 scaleLength, const float *shift, i64 shiftStride, \
        i64 shiftLength, i64 rows, i64 width, i64 lanes, float epsilon

#define ARGUMENTS \
    x, xStride, y, yStride, weight, bias, Groups(scale, scaleStride, scaleLength), \
        Groups(shift, shiftStride, shiftLength), rows, width

#define ONE(kernel, WEIGHTED, MODULATED, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(384, 2) kernel##_##xName##_##yName(PARAMETERS(X, Y)) { \
        layerNorm<WEIGHTED, MODULATED>(ARGUMENTS, lanes, epsilon); \
    }

#define TURNS(kernel, WEIGHTED, MODULATED) \
    extern "C" __global__ void __launch_bounds__(NORM_THREADS, 2) kernel##_bf16_bf16(PARAMETERS(bf16, bf16)) { \
        layerNormTurns<WEIGHTED, MODULATED>(ARGUMENTS, lanes, epsilon); \
    }

#define KERNELS(xName, X, yName, Y) \
    ONE(layerNorm, false, false, xName, X, yName, Y) \
    ONE(layerNormW, true, false, xName, X, yName, Y) \
    ONE(layerNormM, false, true, xName, X, yName, Y) \
    extern "C" __global__ void __launch_bounds__(256) layerNormAny_##xName##_##yName(PARAMETERS(X, Y)) { \
        layerNormAny(ARGUMENTS, epsilon); \
    }

#define NUMBERS(kernel, WEIGHTED, MODULATED, yName, Y) \
    extern "C" __global__ void __launch_bounds__(NORM_THREADS, 2) kernel##_bf16_##yName( \
        PARAMETERS(bf16, Y), float* rowScales) { \
        layerNormTurns<WEIGHTED, MODULATED>(ARGUMENTS, lanes, epsilon, rowScales); \
    }

#define NUMBER_KERNELS(yName, Y) \
    NUMBERS(layerNormTurns, false, false, yName, Y) NUMBERS(layerNormTurnsW, true, false, yName, Y) \
    NUMBERS(layerNormTurnsM, false, true, yName, Y)

FOR_TYPES(KERNELS)
TURNS(layerNormTurns, false, false)
TURNS(layerNormTurnsW, true, false)
TURNS(layerNormTurnsM, false, true)
FOR_NUMBERS(NUMBER_KERNELS)
