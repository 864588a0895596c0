// Which kernels run on this processor, and on how many threads.
#include "CKernels.h"

#include <dlfcn.h>

extern const struct kernel_table kernels_baseline, kernels_avx2, kernels_avx512,
    kernels_avx512_bf16;

// libgomp, which is what oneDNN is linked with. It is opened when it is first needed, as oneDNN is.
// Source: OpenMP 5.0, section 3.2; libgomp's manual, "Implementing PARALLEL construct".
static struct {
    int (*get_max_threads)(void);
    void (*set_num_threads)(int threads);
    int (*get_thread_num)(void);
    void (*parallel)(void (*body)(void *), void *context, unsigned threads, unsigned flags);
} openmp;

const char *kernels_open(void) {
    if (openmp.parallel) return NULL;
    void *library = dlopen("libgomp.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
    *(void **)&openmp.get_max_threads = dlsym(library, "omp_get_max_threads");
    *(void **)&openmp.set_num_threads = dlsym(library, "omp_set_num_threads");
    *(void **)&openmp.get_thread_num = dlsym(library, "omp_get_thread_num");
    *(void **)&openmp.parallel = dlsym(library, "GOMP_parallel");
    return NULL;
}

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

// Without these instructions oneDNN halves one side, so that sums of pairs stay within 16 bits.
int kernels_have_int8(void) { return __builtin_cpu_supports("avx512vnni"); }

int kernels_default_threads(void) { return openmp.get_max_threads(); }

void kernels_set_threads(int threads) { openmp.set_num_threads(threads); }

/// A body and its context, as one pointer.
struct region {
    void (*body)(int thread, void *context);
    void *context;
};

static void enter(void *pointer) {
    const struct region *region = pointer;
    region->body(openmp.get_thread_num(), region->context);
}

void kernels_parallel(int threads, void (*body)(int thread, void *context), void *context) {
    struct region region = {body, context};
    openmp.parallel(enter, &region, (unsigned)threads, 0);
}
