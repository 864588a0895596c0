// y (uint8) = trunc(clamp((x + 1) / 2, 0, 1) * 255) over rows [rows, width]; what is not a number becomes black.
//
// quantize8: pieces of 8 elements, x at multiples of 16 bytes and y of 8. quantize1: any. One pass over memory.
// Checked by the cases quantizePixels/*.

/// The level of a pixel; fmaxf gives the other of its arguments for one that is not a number.
__device__ __forceinline__ unsigned level(float x) {
    return (unsigned)(fminf(fmaxf((x + 1.0f) * 0.5f, 0.0f), 1.0f) * 255.0f);
}

template <int N, typename X>
__device__ __forceinline__ void quantize(
    const X* x, i64 xStride, unsigned char* y, i64 yStride, i64 rows, i64 width, int threads,
    unsigned columnTiles) {
    const Tile<N> tile(rows, width, threads, columnTiles);
    y += tile.column;
    withRows(tile, x, xStride, [&](i64 row, float (&v)[N]) {
        unsigned char* const to = y + row * yStride;
        if constexpr (N == 8) {
            unsigned words[2] = {0, 0};
#pragma unroll
            for (int i = 0; i < 8; i++) words[i / 4] |= level(v[i]) << (i % 4 * 8);
            *reinterpret_cast<uint2*>(to) = make_uint2(words[0], words[1]);
        } else {
            *to = level(v[0]);
        }
    });
}

#define ONE(N, name, X) \
    extern "C" __global__ void __launch_bounds__(256) quantize##N##_##name( \
        const X* x, i64 xStride, unsigned char* y, i64 yStride, i64 rows, i64 width, i64 threads, \
        i64 columnTiles) { \
        quantize<N>(x, xStride, y, yStride, rows, width, threads, columnTiles); \
    }

ONE(8, f32, float)
ONE(1, f32, float)
ONE(8, bf16, bf16)
ONE(1, bf16, bf16)
