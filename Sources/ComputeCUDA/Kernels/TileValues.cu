// Values [rows, width] as numbers of 8 bits in tiles of 16 rows, as the matrix units take them in Attend.cu: [tiles, width, 16],
// the 16 numbers of a column in the order in which weights lie in registers: 0, 1, 8, 9, 2, 3, 10, 11 and so on. Elements are
// divided by one scale for all, numbers only moved. Rows up to the end of the last tile become 0.
//
// A block does 64 rows of 128 columns. One pass over memory. Checked by the cases attention/float8_e4m3-many-keys* and -window*.

namespace tiles {

/// Rows of a tile, and rows and columns of a block.
constexpr int tileRows = 16, rows = 64, columns = 128;

__device__ __forceinline__ unsigned packed(const float (&v)[4], float inverse) {
    return packNumbers((const e4m3*)nullptr, v[0] * inverse, v[1] * inverse, v[2] * inverse,
                       v[3] * inverse);
}

/// Four successive elements as numbers.
__device__ __forceinline__ unsigned four(const float* x, float inverse) {
    float v[4];
    load(x, v);
    return packed(v, inverse);
}
__device__ __forceinline__ unsigned four(const bf16* x, float inverse) {
    const uint2 pairs = *reinterpret_cast<const uint2*>(x);
    float v[4];
    unpack(pairs.x, v[0], v[1]), unpack(pairs.y, v[2], v[3]);
    return packed(v, inverse);
}
__device__ __forceinline__ unsigned four(const e4m3* x, float) {
    return *reinterpret_cast<const unsigned*>(x);
}

template <typename X>
__device__ __forceinline__ void tile(const X* x, i64 stride, i64 count, i64 width,
                                     const float* scale, e4m3* out) {
    __shared__ unsigned char room[rows][columns];
    const i64 firstRow = (i64)blockIdx.x * rows, firstColumn = (i64)blockIdx.y * columns;
    const float inverse = scale ? 1.0f / *scale : 1.0f;
    const int place = threadIdx.x & 31;
    x += firstColumn + place * 4;
#pragma unroll
    for (int i = 0; i < rows / 8; i++) {
        const int row = i * 8 + (threadIdx.x >> 5);
        const unsigned numbers = firstRow + row < count ? four(x + (firstRow + row) * stride, inverse) : 0;
        *reinterpret_cast<unsigned*>(&room[row][place * 4]) = numbers;
    }
    __syncthreads();
    const int column = threadIdx.x % columns;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int row = (i * 2 + threadIdx.x / columns) * tileRows;
        if (firstRow + row >= count) continue;
        unsigned words[4];
#pragma unroll
        for (int w = 0; w < 4; w++)
            words[w] = room[row + 2 * w][column] | (unsigned)room[row + 2 * w + 1][column] << 8 |
                       (unsigned)room[row + 2 * w + 8][column] << 16 |
                       (unsigned)room[row + 2 * w + 9][column] << 24;
        *reinterpret_cast<uint4*>(out + (firstRow + row) * width + (firstColumn + column) * tileRows) =
            make_uint4(words[0], words[1], words[2], words[3]);
    }
}

}  // namespace tiles

#define TILE(name, X)                                                                            \
    extern "C" __global__ void __launch_bounds__(256) tileValues_##name(                         \
        const X* x, i64 stride, i64 count, i64 width, const float* scale, e4m3* out) {           \
        tiles::tile(x, stride, count, width, scale, out);                                        \
    }

TILE(f32, float)
TILE(bf16, bf16)
TILE(e4m3, e4m3)
