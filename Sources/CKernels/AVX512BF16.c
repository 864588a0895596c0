// The kernels for AVX-512 with bfloat16.
#include "CKernels.h"
#include <immintrin.h>
#define LANES 16
/// Rows of a product in registers at once, beside two vectors of its panel.
#define ROWS 12
#define TABLE kernels_avx512_bf16
#define TABLE_NAME "AVX-512 with bfloat16"
#define SWAPPED(v) \
    __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#define EVENS(v) \
    __builtin_shufflevector(v, v, 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14)
#define ODDS(v) \
    __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15)
#define HAS_PAIRS
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma"))), apply_to = function)
#include "Vectors.h"

#include "RowKernels.h"

#include "NarrowKernels.h"

#include "AttentionKernel.h"

#include "WinogradKernel.h"

#include "KernelTable.h"
#pragma clang attribute pop
