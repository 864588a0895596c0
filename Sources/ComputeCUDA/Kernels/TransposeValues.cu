// Values [keys, heads, 128] of 8 bits to [heads, 128, padded keys] for Attend.cu, those of each 16 keys in the order in which weights
// lie in registers: 0, 1, 8, 9, 2, 3, 10, 11 and so on. Those of no key are 0. A block does 128 keys of a head. Checked by the
// cases attention/float8_e4m3-many-keys*.

extern "C" __global__ void __launch_bounds__(256)
transposeValues_e4m3(const e4m3* values, i64 rowStride, i64 headStride, i64 keys, i64 padded, e4m3* out) {
    __shared__ unsigned char room[128][132];
    const int head = blockIdx.y, first = blockIdx.x * 128;
    const int column = threadIdx.x & 31;
    for (int row = threadIdx.x >> 5; row < 128; row += 8) {
        unsigned four = 0;
        if (first + row < keys)
            four = *reinterpret_cast<const unsigned*>(values + (first + row) * rowStride +
                                                      head * headStride + column * 4);
        *reinterpret_cast<unsigned*>(&room[row][column * 4]) = four;
    }
    __syncthreads();
    // Four keys of a channel at a time: threads of a warp are successive in keys.
    const int place = column * 4, key = place / 16 * 16 + place % 16 / 2;
    if (first + place >= padded) return;
    for (int channel = threadIdx.x >> 5; channel < 128; channel += 8) {
        const unsigned four = room[key][channel] | (unsigned)room[key + 1][channel] << 8 |
                              (unsigned)room[key + 8][channel] << 16 |
                              (unsigned)room[key + 9][channel] << 24;
        *reinterpret_cast<unsigned*>(out + ((i64)head * 128 + channel) * padded + first + place) = four;
    }
}
