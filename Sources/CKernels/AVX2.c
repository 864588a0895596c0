// The kernels for AVX2.
#include "CKernels.h"

#define LANES 8
/// Rows of a product in registers at once, beside two vectors of its panel.
#define ROWS 6
#define TABLE kernels_avx2
#define TABLE_NAME "AVX2"
#define SWAPPED(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#define EVENS(v) __builtin_shufflevector(v, v, 0, 0, 2, 2, 4, 4, 6, 6)
#define ODDS(v) __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "Vectors.h"

#include "RowKernels.h"

#include "NarrowKernels.h"

#include "AttentionKernel.h"

#include "WinogradKernel.h"

#include "KernelTable.h"
#pragma clang attribute pop
