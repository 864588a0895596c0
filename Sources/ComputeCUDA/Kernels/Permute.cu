// y = x with its axes in another order; elements do not change.
//
// transposeB (elements of B bytes): batches of a matrix with `rows` along y's innermost axis and `columns` along x's innermost
// one, in tiles of 32 x 32 through shared memory, so that reads and writes both have no gaps.
// moveB (units of B bytes): up to six axes of any strides, in the order of the result; for what keeps its innermost axis, whose
// units may then be of 16 bytes, and for what has too many axes.
// Checked by the cases permute/*, and copy/* of strides that are no rows.

enum { SIDE = 32 };

/// An index of several axes, innermost last, and where it leads.
struct Walk {
    unsigned rest;
    i64 source = 0, target = 0;

    __device__ __forceinline__ Walk(unsigned index) : rest(index) {}

    /// Takes the next axis outwards.
    __device__ __forceinline__ void step(i64 extent, i64 sourceStride, i64 targetStride) {
        const unsigned quotient = rest / (unsigned)extent;
        const unsigned index = rest - quotient * (unsigned)extent;
        rest = quotient;
        source += index * sourceStride, target += index * targetStride;
    }
};

template <typename Unit>
__device__ __forceinline__ void transpose(
    const Unit* x, Unit* y, unsigned rows, unsigned columns, i64 rowStride, i64 columnStride,
    Walk batch) {
    // One element wider, so that a column's elements lie in different banks.
    __shared__ Unit tile[SIDE][SIDE + 1];
    const unsigned columnTiles = (columns + SIDE - 1) / SIDE;
    const unsigned band = blockIdx.x / columnTiles * SIDE;
    const unsigned first = blockIdx.x % columnTiles * SIDE;
    const unsigned lane = threadIdx.x % SIDE, line = threadIdx.x / SIDE;
    x += batch.source, y += batch.target;
#pragma unroll
    for (unsigned r = line; r < SIDE; r += 8)
        if (band + r < rows && first + lane < columns)
            tile[r][lane] = x[(band + r) * rowStride + first + lane];
    __syncthreads();
#pragma unroll
    for (unsigned c = line; c < SIDE; c += 8)
        if (first + c < columns && band + lane < rows)
            y[(first + c) * columnStride + band + lane] = tile[lane][c];
}

#define TRANSPOSE(bytes, Unit) \
    extern "C" __global__ void __launch_bounds__(256) transpose##bytes( \
        const Unit* x, Unit* y, i64 rows, i64 columns, i64 rowStride, i64 columnStride, i64 e0, \
        i64 s0, i64 t0, i64 e1, i64 s1, i64 t1, i64 e2, i64 s2, i64 t2, i64 e3, i64 s3, i64 t3) { \
        Walk batch(blockIdx.y); \
        batch.step(e3, s3, t3), batch.step(e2, s2, t2), batch.step(e1, s1, t1); \
        batch.step(e0, s0, t0); \
        transpose(x, y, rows, columns, rowStride, columnStride, batch); \
    }

#define MOVE(bytes, Unit) \
    extern "C" __global__ void __launch_bounds__(256) move##bytes( \
        const Unit* x, Unit* y, i64 count, i64 e0, i64 s0, i64 t0, i64 e1, i64 s1, i64 t1, i64 e2, \
        i64 s2, i64 t2, i64 e3, i64 s3, i64 t3, i64 e4, i64 s4, i64 t4, i64 e5, i64 s5, i64 t5) { \
        const i64 index = (i64)blockIdx.x * blockDim.x + threadIdx.x; \
        if (index >= count) return; \
        Walk walk(index); \
        walk.step(e5, s5, t5), walk.step(e4, s4, t4), walk.step(e3, s3, t3); \
        walk.step(e2, s2, t2), walk.step(e1, s1, t1), walk.step(e0, s0, t0); \
        y[walk.target] = x[walk.source]; \
    }

MOVE(16, uint4)
MOVE(8, uint2) TRANSPOSE(8, uint2)
MOVE(4, unsigned) TRANSPOSE(4, unsigned)
MOVE(2, unsigned short) TRANSPOSE(2, unsigned short)
MOVE(1, unsigned char) TRANSPOSE(1, unsigned char)
