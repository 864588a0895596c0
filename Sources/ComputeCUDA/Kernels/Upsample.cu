// y [parts * t, 2h, 2w, c] = x [t, h, w, parts * c] with every position doubled in height and width; part p of a
// frame's channels makes frame parts * t + p. Channels c are counted in units of 16, 4, 2 or 1 bytes; both are contiguous.
//
// A thread reads a unit of each of its lines (of height 1) once and writes it four times: one pass over memory.
// Checked by the cases upsample/*.

template <typename Unit>
__device__ __forceinline__ void upsample(
    const Unit* x, Unit* y, i64 lines, unsigned height, unsigned width, unsigned channels,
    unsigned parts, int threads, unsigned columnTiles) {
    const i64 lineUnits = (i64)width * channels;
    const Tile<1> tile(lines, lineUnits, threads, columnTiles);
    const unsigned column = (unsigned)tile.column / channels;
    const unsigned channel = (unsigned)tile.column % channels;
    Unit v[TILE_ROWS];
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
        if (!tile.has(r)) continue;
        const unsigned frame = (unsigned)tile.row(r) / height, line = (unsigned)tile.row(r) % height;
        const i64 pixel = ((i64)(frame / parts) * height + line) * width + column;
        v[r] = x[(pixel * parts + frame % parts) * channels + channel];
    }
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
        if (!tile.has(r)) return;
        Unit* const upper = y + (tile.row(r) * 4 * width + 2 * column) * channels + channel;
        Unit* const lower = upper + 2 * lineUnits;
        upper[0] = v[r], upper[channels] = v[r];
        lower[0] = v[r], lower[channels] = v[r];
    }
}

#define KERNEL(bytes, Unit) \
    extern "C" __global__ void __launch_bounds__(256) upsample##bytes( \
        const Unit* x, Unit* y, i64 lines, i64 height, i64 width, i64 channels, i64 parts, \
        i64 threads, i64 columnTiles) { \
        upsample(x, y, lines, height, width, channels, parts, threads, columnTiles); \
    }

KERNEL(16, uint4)
KERNEL(8, uint2)
KERNEL(4, unsigned)
KERNEL(2, unsigned short)
KERNEL(1, unsigned char)
