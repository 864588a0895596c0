// Which kernels run on this processor, and on how many threads.
#include "CKernels.h"

extern const struct kernel_table kernels_baseline, kernels_avx2, kernels_avx512,
    kernels_avx512_bf16;

// Declared here, as clang finds no header of libgomp, which is what oneDNN is linked with.
// Source: OpenMP 5.0, section 3.2; libgomp's manual, "Implementing PARALLEL construct".
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);
extern int omp_get_thread_num(void);
extern void GOMP_parallel(
    void (*body)(void *), void *context, unsigned threads, unsigned flags);

size_t kernels_available(const struct kernel_table *tables[4]) {
    size_t count = 0;
    tables[count++] = &kernels_baseline;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[count++] = &kernels_avx2;
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq"))
        tables[count++] = &kernels_avx512;
    if (count == 3 && __builtin_cpu_supports("avx512bf16"))
        tables[count++] = &kernels_avx512_bf16;
    return count;
}

const struct kernel_table *kernels_best(void) {
    const struct kernel_table *tables[4];
    return tables[kernels_available(tables) - 1];
}

int kernels_have_bfloat16(void) { return kernels_best()->has_pairs; }

int kernels_default_threads(void) { return omp_get_max_threads(); }

void kernels_set_threads(int threads) { omp_set_num_threads(threads); }

/// A body and its context, as one pointer.
struct region {
    void (*body)(int thread, void *context);
    void *context;
};

static void enter(void *pointer) {
    const struct region *region = pointer;
    region->body(omp_get_thread_num(), region->context);
}

void kernels_parallel(int threads, void (*body)(int thread, void *context), void *context) {
    struct region region = {body, context};
    GOMP_parallel(enter, &region, (unsigned)threads, 0);
}
