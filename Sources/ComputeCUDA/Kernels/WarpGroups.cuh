// Behind Numbers.cuh in kernels for Hopper: barriers in shared memory, the copy engine, and products of warp groups (four warps
// that multiply together, asynchronously), as PTX names them: mbarrier, cp.async.bulk.tensor and wgmma.

#if __CUDA_ARCH__ == 900

/// What the driver says of a tensor to the copy engine.
struct alignas(64) TensorMap {
    char bytes[128];
};

__device__ __forceinline__ unsigned sharedAddress(const void* p) {
    return (unsigned)__cvta_generic_to_shared(p);
}

__device__ __forceinline__ void initialize(unsigned barrier, int count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count));
}

/// Waits until the phase of that parity is over.
__device__ __forceinline__ void wait(unsigned barrier, unsigned parity) {
    asm volatile(
        "{\n.reg .pred done;\nAGAIN:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra AGAIN;\n}" ::"r"(barrier), "r"(parity) : "memory");
}

__device__ __forceinline__ void arrive(unsigned barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

__device__ __forceinline__ void expect(unsigned barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
                 : "memory");
}

/// The same barrier in both blocks of the pair.
__device__ __forceinline__ void arriveInBoth(unsigned barrier) {
    asm volatile(
        "{\n.reg .b32 there;\n"
        "mapa.shared::cluster.u32 there, %0, 0;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [there];\n"
        "mapa.shared::cluster.u32 there, %0, 1;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [there];\n}" ::"r"(barrier)
        : "memory");
}

/// The place of this block in its pair, 0 or 1.
__device__ __forceinline__ int rankInPair() {
    int rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/// Waits for all threads of both blocks.
__device__ __forceinline__ void meetPair() {
    asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

/// The same box for both blocks of the pair, to the same place of each, and to each's barrier.
__device__ __forceinline__ void fetchForBoth(unsigned to, const TensorMap& map, int column, int head,
                                             int row, unsigned barrier) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
        ".multicast::cluster [%0], [%1, {%2, %3, %4}], [%5], %6;" ::"r"(to), "l"(&map), "r"(column),
        "r"(head), "r"(row), "r"(barrier), "h"((unsigned short)3) : "memory");
}

/// A box of a tensor [rows, heads, columns] on its way to shared memory.
__device__ __forceinline__ void fetch(unsigned to, const TensorMap& map, int column, int head,
                                      int row, unsigned barrier) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%2, %3, %4}], [%5];" ::"r"(to), "l"(&map), "r"(column), "r"(head), "r"(row),
        "r"(barrier) : "memory");
}

/// Waits for all 256 threads of the two groups that arrived at this or wait for it.
__device__ __forceinline__ void takeTurn(int group) {
    asm volatile("bar.sync %0, 256;" ::"r"(1 + group) : "memory");
}
__device__ __forceinline__ void giveTurn(int group) {
    asm volatile("bar.arrive %0, 256;" ::"r"(1 + group) : "memory");
}

// MARK: - Products

/// What the matrix units are told of a tile that is not swizzled: its address, and the bytes from one block of columns and from
/// one of 8 rows to the next.
__device__ __forceinline__ unsigned long long plainOperand(unsigned address, int columns, int rows) {
    return (unsigned long long)((address & 0x3ffff) >> 4) |
           (unsigned long long)(columns >> 4) << 16 | (unsigned long long)(rows >> 4) << 32;
}

/// The same of a tile with rows of 128 bytes, swizzled.
__device__ __forceinline__ unsigned long long operand(unsigned address, int columns, int rows) {
    return plainOperand(address, columns, rows) | 1ull << 62;
}

__device__ __forceinline__ void beginProducts() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commitProducts() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most N committed products are not done.
template <int N>
__device__ __forceinline__ void awaitProducts() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

/// Keeps the compiler from moving what uses registers across this.
template <int N>
__device__ __forceinline__ void hold(float (&v)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) asm volatile("" : "+f"(v[i])::"memory");
}

#define F8(v, i)                                                                              \
    "+f"(v[i]), "+f"(v[i + 1]), "+f"(v[i + 2]), "+f"(v[i + 3]), "+f"(v[i + 4]), "+f"(v[i + 5]), \
        "+f"(v[i + 6]), "+f"(v[i + 7])
#define F32(v, i) F8(v, i), F8(v, i + 8), F8(v, i + 16), F8(v, i + 24)
#define P8(a, b, c, d, e, f, g, h) "%" #a ", %" #b ", %" #c ", %" #d ", %" #e ", %" #f ", %" #g ", %" #h
#define P32_0                                                                        \
    P8(0, 1, 2, 3, 4, 5, 6, 7) ", " P8(8, 9, 10, 11, 12, 13, 14, 15) ", "            \
    P8(16, 17, 18, 19, 20, 21, 22, 23) ", " P8(24, 25, 26, 27, 28, 29, 30, 31)
#define P32_1                                                                        \
    P8(32, 33, 34, 35, 36, 37, 38, 39) ", " P8(40, 41, 42, 43, 44, 45, 46, 47) ", "  \
    P8(48, 49, 50, 51, 52, 53, 54, 55) ", " P8(56, 57, 58, 59, 60, 61, 62, 63)
#define P24_2                                                                        \
    P8(64, 65, 66, 67, 68, 69, 70, 71) ", " P8(72, 73, 74, 75, 76, 77, 78, 79) ", "  \
    P8(80, 81, 82, 83, 84, 85, 86, 87)

/// scores (+)= queries keysᵀ: 64 x 16 by 16 x 176, both of shared memory.
__device__ __forceinline__ void score(float (&s)[88], unsigned long long q, unsigned long long k,
                                      int isAdded) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %90, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n176k16.f32.bf16.bf16 {" P32_0 ", " P32_1 ", " P24_2
        "}, %88, %89, p, 1, 1, 0, 0;\n}"
        : F32(s, 0), F32(s, 32), F8(s, 64), F8(s, 72), F8(s, 80)
        : "l"(q), "l"(k), "r"(isAdded));
}

/// sums += weights values: 64 x 16 of registers by 16 x 128 of shared memory.
__device__ __forceinline__ void mix(float (&o)[64], unsigned a, unsigned b, unsigned c, unsigned d,
                                    unsigned long long v) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" P32_0 ", " P32_1
        "}, {%64, %65, %66, %67}, %68, 1, 1, 1, 1;"
        : F32(o, 0), F32(o, 32)
        : "r"(a), "r"(b), "r"(c), "r"(d), "l"(v));
}

#define P32_2                                                                        \
    P8(64, 65, 66, 67, 68, 69, 70, 71) ", " P8(72, 73, 74, 75, 76, 77, 78, 79) ", "  \
    P8(80, 81, 82, 83, 84, 85, 86, 87) ", " P8(88, 89, 90, 91, 92, 93, 94, 95)

/// The same of numbers of 8 bits: 64 x 32 by 32 x 192.
__device__ __forceinline__ void score(float (&s)[96], unsigned long long q, unsigned long long k,
                                      int isAdded) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %98, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n192k32.f32.e4m3.e4m3 {" P32_0 ", " P32_1 ", " P32_2
        "}, %96, %97, p, 1, 1;\n}"
        : F32(s, 0), F32(s, 32), F32(s, 64)
        : "l"(q), "l"(k), "r"(isAdded));
}

/// The same of numbers of 8 bits: 64 x 32 by 32 x 128, values being turned.
__device__ __forceinline__ void mixNumbers(float (&o)[64], unsigned a, unsigned b, unsigned c,
                                           unsigned d, unsigned long long v) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 {" P32_0 ", " P32_1
        "}, {%64, %65, %66, %67}, %68, 1, 1, 1;"
        : F32(o, 0), F32(o, 32)
        : "r"(a), "r"(b), "r"(c), "r"(d), "l"(v));
}

#endif
