// The kernels for any x86-64.
#include "CKernels.h"

#define LANES 4
/// Rows of a product in registers at once, beside two vectors of its panel.
#define ROWS 4
#define TABLE kernels_baseline
#define TABLE_NAME "any x86-64"
#define SWAPPED(v) __builtin_shufflevector(v, v, 1, 0, 3, 2)
#define EVENS(v) __builtin_shufflevector(v, v, 0, 0, 2, 2)
#define ODDS(v) __builtin_shufflevector(v, v, 1, 1, 3, 3)
#include "Vectors.h"

#include "RowKernels.h"

#include "NarrowKernels.h"

#include "AttentionKernel.h"

#include "WinogradKernel.h"

#include "KernelTable.h"
