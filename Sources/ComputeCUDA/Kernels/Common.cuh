// What every kernel file begins with: element types, 16-byte loads and stores, sums over threads, activations,
// and how threads divide rows. The text needs no header, and is right for sm_80 and later.

typedef long long i64;

/// A bfloat16 as it lies in memory: the upper half of a float.
struct bf16 {
    unsigned short bits;
};

/// Four bytes with two bfloat16 elements, the first in the lower half, as floats.
__device__ __forceinline__ void unpack(unsigned pair, float& first, float& second) {
    first = __uint_as_float(pair << 16);
    second = __uint_as_float(pair & 0xffff0000u);
}

/// Two floats rounded to nearest, ties to even, as two bfloat16 elements.
__device__ __forceinline__ unsigned pack(float first, float second) {
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

/// N successive elements as floats. With N of 8 the address is a multiple of 16.
template <int N>
__device__ __forceinline__ void load(const float* from, float (&v)[N]) {
    if constexpr (N % 4 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            const float4 q = *reinterpret_cast<const float4*>(from + i);
            v[i] = q.x, v[i + 1] = q.y, v[i + 2] = q.z, v[i + 3] = q.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) v[i] = from[i];
    }
}

template <int N>
__device__ __forceinline__ void load(const bf16* from, float (&v)[N]) {
    if constexpr (N % 8 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 8) {
            const uint4 q = *reinterpret_cast<const uint4*>(from + i);
            unpack(q.x, v[i], v[i + 1]), unpack(q.y, v[i + 2], v[i + 3]);
            unpack(q.z, v[i + 4], v[i + 5]), unpack(q.w, v[i + 6], v[i + 7]);
        }
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) v[i] = __uint_as_float((unsigned)from[i].bits << 16);
    }
}

/// Stores N floats as successive elements. With N of 8 the address is a multiple of 16.
template <int N>
__device__ __forceinline__ void store(float* to, const float (&v)[N]) {
    if constexpr (N % 4 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 4)
            *reinterpret_cast<float4*>(to + i) = make_float4(v[i], v[i + 1], v[i + 2], v[i + 3]);
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) to[i] = v[i];
    }
}

template <int N>
__device__ __forceinline__ void store(bf16* to, const float (&v)[N]) {
    if constexpr (N % 8 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 8)
            *reinterpret_cast<uint4*>(to + i) =
                make_uint4(pack(v[i], v[i + 1]), pack(v[i + 2], v[i + 3]),
                           pack(v[i + 4], v[i + 5]), pack(v[i + 6], v[i + 7]));
    } else {
#pragma unroll
        for (int i = 0; i < N; i++)
            asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to[i].bits) : "f"(v[i]));
    }
}

// MARK: - Elements that are read once

/// 16 bytes that are not read again soon: they are the first to leave the caches, where parameters and what is written stay.
__device__ __forceinline__ uint4 readOnce(const void* from) {
    uint4 q;
#if READING == 0
    q = *reinterpret_cast<const uint4*>(from);
#elif READING == 1
    asm("ld.global.cs.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(q.x), "=r"(q.y), "=r"(q.z), "=r"(q.w) : "l"(from));
#else
    asm("ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(q.x), "=r"(q.y), "=r"(q.z), "=r"(q.w) : "l"(from));
#endif
    return q;
}

/// N successive elements on the way from memory, in few registers until they are needed. With N of 8 their address is a
/// multiple of 16.
template <typename T, int N>
struct Piece {
    float v[N];

    __device__ __forceinline__ void read(const T* from) { load(from, v); }

    __device__ __forceinline__ void unpackInto(float (&to)[N]) const {
#pragma unroll
        for (int i = 0; i < N; i++) to[i] = v[i];
    }
};

template <>
struct Piece<bf16, 8> {
    uint4 q;

    __device__ __forceinline__ void read(const bf16* from) { q = readOnce(from); }

    __device__ __forceinline__ void unpackInto(float (&to)[8]) const {
        unpack(q.x, to[0], to[1]), unpack(q.y, to[2], to[3]);
        unpack(q.z, to[4], to[5]), unpack(q.w, to[6], to[7]);
    }
};

template <>
struct Piece<float, 8> {
    uint4 p, q;

    __device__ __forceinline__ void read(const float* from) {
        p = readOnce(from), q = readOnce(from + 4);
    }

    __device__ __forceinline__ void unpackInto(float (&to)[8]) const {
        to[0] = __uint_as_float(p.x), to[1] = __uint_as_float(p.y);
        to[2] = __uint_as_float(p.z), to[3] = __uint_as_float(p.w);
        to[4] = __uint_as_float(q.x), to[5] = __uint_as_float(q.y);
        to[6] = __uint_as_float(q.z), to[7] = __uint_as_float(q.w);
    }
};

// MARK: - Functions

enum { IDENTITY, SILU, GELU, GELU_TANH };

/// 1 / (1 + exp(-x)) with a relative error below 1e-6 for |x| < 16, and absolutely below 1e-12 elsewhere. It has no
/// case of its own for any x, unlike expf and division: two instructions of the special-function unit.
__device__ __forceinline__ float sigmoid(float x) {
    float power, result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(-1.4426950408889634f * x));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(1.0f + power));
    return result;
}

/// An activation of `Activation`; 0.5 (1 + tanh(u)) is sigmoid(2 u).
template <int A>
__device__ __forceinline__ float activated(float x) {
    if constexpr (A == SILU) return x * sigmoid(x);
    if constexpr (A == GELU) return 0.5f * x * (1.0f + erff(0.70710678118654752f * x));
    if constexpr (A == GELU_TANH)
        return x * sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x));
    return x;
}

template <int A>
struct Constant {
    static constexpr int value = A;
};

/// Calls `body` with the activation as a constant, so that it is chosen once and not for every element.
template <typename Body>
__device__ __forceinline__ void withActivation(int activation, Body body) {
    switch (activation) {
    case SILU: body(Constant<SILU>()); break;
    case GELU: body(Constant<GELU>()); break;
    case GELU_TANH: body(Constant<GELU_TANH>()); break;
    default: body(Constant<IDENTITY>());
    }
}

// MARK: - Sums, always in the same order

/// The sum over groups of `lanes` neighbouring threads, a power of two up to 32; all of the warp must call.
__device__ __forceinline__ float sumOfLanes(float x, int lanes) {
    for (int step = lanes >> 1; step > 0; step >>= 1) x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

/// The sum over whole warps of a block. `room` is shared, has 32 floats, and serves one sum only.
__device__ __forceinline__ float sumOfBlock(float x, float* room) {
    x = sumOfLanes(x, 32);
    if ((threadIdx.x & 31) == 0) room[threadIdx.x >> 5] = x;
    __syncthreads();
    float sum = 0;
    for (int warp = 0; warp < blockDim.x >> 5; warp++) sum += room[warp];
    return sum;
}

/// Room for the sum of each warp of a block, for kernels that add again and again.
struct WarpSums {
    float all[32];

    /// Zeroes what stands for warps that the block lacks, before the first sum.
    __device__ __forceinline__ void clear() {
        if (threadIdx.x < 32 && threadIdx.x >= blockDim.x >> 5) all[threadIdx.x] = 0;
    }

    /// The sum over whole warps of the block. There must be another barrier before the next one.
    __device__ __forceinline__ float add(float x) {
        x = sumOfLanes(x, 32);
        if ((threadIdx.x & 31) == 0) all[threadIdx.x >> 5] = x;
        __syncthreads();
        return sumOfLanes(all[threadIdx.x & 31], 32);
    }
};

// MARK: - Rows

/// A thread's part in rows that are each shared by `lanes` threads: a power of two up to 32, or the whole block.
struct RowPart {
    /// The thread's place among those of its row.
    int lane;
    /// The number of the row among those of the block, and how many these are.
    int row, rows;

    __device__ __forceinline__ RowPart(int lanes) {
        if (lanes > 32) {
            lane = threadIdx.x, row = 0, rows = 1;
        } else {
            const int shift = 31 - __clz(lanes);
            lane = threadIdx.x & (lanes - 1), row = threadIdx.x >> shift;
            rows = blockDim.x >> shift;
        }
    }

    /// The sum over the threads of the row; see `sumOfBlock` for `room`.
    __device__ __forceinline__ float sum(float x, int lanes, float* room) const {
        return lanes > 32 ? sumOfBlock(x, room) : sumOfLanes(x, lanes);
    }
};

/// The most threads of a block whose rows come in turns, NORM_PIECES pieces of 8 elements in each thread.
enum { NORM_THREADS = 640 / NORM_PIECES };

/// The rows of a block that does several, one after another: pieces of the next NORM_AHEAD rows are on their way while the threads
/// work on one. Thread t has the pieces t, t + blockDim.x, ...
template <typename X>
struct RowsInTurns {
    /// The number of the current row, and how many are left with it.
    int row, left;
    /// The thread's first column, and from one piece to the next.
    int column, step;

    const X* next;
    i64 stride;
    int width;
    Piece<X, 8> ahead[NORM_AHEAD][NORM_PIECES];

    __device__ __forceinline__ RowsInTurns(const X* x, i64 stride, int rows, int width, int turns)
        : row(blockIdx.x * turns), left(min(turns, rows - row)), column(threadIdx.x * 8),
          step(blockDim.x * 8), next(x + row * stride + column), stride(stride), width(width) {
#pragma unroll
        for (int turn = 0; turn < NORM_AHEAD; turn++) readNext(ahead[turn], turn < left);
    }

    /// Whether the thread has a piece of that number.
    __device__ __forceinline__ bool has(int piece) const { return column + piece * step < width; }

    /// The current row's pieces, zero outside; the one behind those that are on their way is asked for.
    __device__ __forceinline__ void take(float (&v)[NORM_PIECES][8]) {
        Piece<X, 8> now[NORM_PIECES];
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++) {
            now[piece] = ahead[0][piece];
#pragma unroll
            for (int turn = 1; turn < NORM_AHEAD; turn++)
                ahead[turn - 1][piece] = ahead[turn][piece];
        }
        readNext(ahead[NORM_AHEAD - 1], left > NORM_AHEAD);
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++) {
            now[piece].unpackInto(v[piece]);
#pragma unroll
            for (int i = 0; i < 8; i++) v[piece][i] = has(piece) ? v[piece][i] : 0;
        }
    }

    /// Goes on to the next row.
    __device__ __forceinline__ void advance() { row++, left--; }

private:
    __device__ __forceinline__ void readNext(Piece<X, 8> (&to)[NORM_PIECES], bool isRow) {
#pragma unroll
        for (int piece = 0; piece < NORM_PIECES; piece++)
            if (isRow && has(piece)) to[piece].read(next + piece * step);
        next += stride;
    }
};

/// Float rows that stand for groups of `length` successive rows each.
struct Groups {
    const float* first;
    i64 stride;
    unsigned length;

    __device__ __forceinline__ Groups(const float* first, i64 stride, i64 length)
        : first(first), stride(stride), length(length) {}

    /// What stands for a row.
    __device__ __forceinline__ const float* operator[](i64 row) const { return first + offset(row); }

    /// Elements from the first to what stands for a row.
    __device__ __forceinline__ i64 offset(i64 row) const {
        return (length == 1 ? row : (i64)((unsigned)row / length)) * stride;
    }
};

/// Rows that a thread of an elementwise kernel does, unless it says otherwise.
enum { TILE_ROWS = 4 };

/// A thread's part of an elementwise kernel: N columns of ROWS rows, whose loads are all in flight at once.
/// `threads` (a power of two) of the block lie beside one another, and the grid has `columnTiles` blocks for each
/// band of rows.
template <int N, int ROWS = TILE_ROWS>
struct Tile {
    i64 rows, firstRow;
    int rowStep;
    i64 column;
    bool isInside;

    __device__ __forceinline__ Tile(i64 rows, i64 width, int threads, unsigned columnTiles)
        : rows(rows) {
        const int shift = 31 - __clz(threads);
        rowStep = blockDim.x >> shift;
        const unsigned band = blockIdx.x / columnTiles;
        firstRow = (i64)band * rowStep * ROWS + (threadIdx.x >> shift);
        column = ((i64)(blockIdx.x - band * columnTiles) * threads + (threadIdx.x & (threads - 1))) * N;
        isInside = column < width;
    }

    /// The number of the thread's i-th row.
    __device__ __forceinline__ i64 row(int i) const { return firstRow + i * rowStep; }

    /// Whether there is an i-th row.
    __device__ __forceinline__ bool has(int i) const { return isInside && row(i) < rows; }
};

/// Loads the pieces of a thread's rows, all before the first is used, and calls `use` with each row's number and piece.
template <int N, typename X, typename Use>
__device__ __forceinline__ void withRows(const Tile<N>& tile, const X* x, i64 xStride, Use use) {
    float v[TILE_ROWS][N];
    x += tile.column;
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile.has(r)) load(x + tile.row(r) * xStride, v[r]);
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
        if (!tile.has(r)) return;
        use(tile.row(r), v[r]);
    }
}

/// Applies a macro to the types of x and y and their names.
#define FOR_TYPES(M) \
    M(f32, float, f32, float) M(bf16, bf16, bf16, bf16) \
    M(f32, float, bf16, bf16) M(bf16, bf16, f32, float)
