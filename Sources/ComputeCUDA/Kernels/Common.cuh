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

/// Float rows that stand for groups of `length` successive rows each.
struct Groups {
    const float* first;
    i64 stride;
    unsigned length;

    __device__ __forceinline__ Groups(const float* first, i64 stride, i64 length)
        : first(first), stride(stride), length(length) {}

    /// What stands for a row.
    __device__ __forceinline__ const float* operator[](i64 row) const {
        return first + (length == 1 ? row : (i64)((unsigned)row / length)) * stride;
    }
};

/// Rows that a thread of an elementwise kernel does.
enum { TILE_ROWS = 4 };

/// A thread's part of an elementwise kernel: N columns of TILE_ROWS rows, whose loads are all in flight at once.
/// `threads` (a power of two) of the block lie beside one another, and the grid has `columnTiles` blocks for each
/// band of rows.
template <int N>
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
        firstRow = (i64)band * rowStep * TILE_ROWS + (threadIdx.x >> shift);
        column = ((i64)(blockIdx.x - band * columnTiles) * threads + (threadIdx.x & (threads - 1))) * N;
        isInside = column < width;
    }

    /// The number of the thread's i-th row.
    __device__ __forceinline__ i64 row(int i) const { return firstRow + i * rowStep; }

    /// Whether there is an i-th row.
    __device__ __forceinline__ bool has(int i) const { return isInside && row(i) < rows; }
};

/// Applies a macro to the types of x and y and their names.
#define FOR_TYPES(M) \
    M(f32, float, f32, float) M(bf16, bf16, bf16, bf16) \
    M(f32, float, bf16, bf16) M(bf16, bf16, f32, float)
