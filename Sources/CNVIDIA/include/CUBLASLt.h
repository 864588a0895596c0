// libcublasLt: matrix products. Source: NVIDIA's cuBLAS documentation for CUDA 13.0, "Using the cuBLASLt API".

#ifndef CNVIDIA_CUBLASLt_h
#define CNVIDIA_CUBLASLt_h

#include <stddef.h>
#include <stdint.h>

#include "Driver.h"

typedef int cublasStatus_t;
typedef struct cublasLtContext *cublasLtHandle_t;
typedef struct cublasLtMatmulDescOpaque *cublasLtMatmulDesc_t;
typedef struct cublasLtMatrixLayoutOpaque *cublasLtMatrixLayout_t;
typedef struct cublasLtMatmulPreferenceOpaque *cublasLtMatmulPreference_t;

enum {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_NOT_SUPPORTED = 15,
};

// cudaDataType
enum { CUDA_R_32F = 0, CUDA_R_8I = 3, CUDA_R_32I = 10, CUDA_R_16BF = 14, CUDA_R_8F_E4M3 = 28 };
// cublasComputeType_t
enum { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_32I = 72 };
// cublasOperation_t
enum { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 };

// cublasLtMatmulDescAttributes_t
enum {
    CUBLASLT_MATMUL_DESC_TRANSA = 3,
    CUBLASLT_MATMUL_DESC_TRANSB = 4,
    CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
    CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
    CUBLASLT_MATMUL_DESC_A_SCALE_POINTER = 17,
    CUBLASLT_MATMUL_DESC_B_SCALE_POINTER = 18,
    CUBLASLT_MATMUL_DESC_FAST_ACCUM = 25,
    CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE = 26,
    CUBLASLT_MATMUL_DESC_A_SCALE_MODE = 31,
    CUBLASLT_MATMUL_DESC_B_SCALE_MODE = 32,
};

// cublasLtMatmulMatrixScale_t
enum {
    /// A float for each row of op(A), or each column of op(B).
    CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F = 3,
};

// cublasLtEpilogue_t
enum {
    CUBLASLT_EPILOGUE_DEFAULT = 1,
    CUBLASLT_EPILOGUE_BIAS = 4,
    /// x -> 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
    CUBLASLT_EPILOGUE_GELU = 32,
};

// cublasLtMatrixLayoutAttribute_t
enum {
    CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT = 5,
    CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET = 6,
};

// cublasLtMatmulPreferenceAttributes_t
enum {
    CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
    CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7,
    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8,
};

// cublasLtReductionScheme_t
enum {
    /// Parts of a sum are added in their own type, in a fixed order, by a kernel behind the product's.
    CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE = 2,
};

// cublasLtMatmulAlgoConfigAttributes_t
enum {
    CUBLASLT_ALGO_CONFIG_ID = 0,
    CUBLASLT_ALGO_CONFIG_TILE_ID = 1,
    CUBLASLT_ALGO_CONFIG_SPLITK_NUM = 2,
    CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING = 4,
    CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION = 5,
    CUBLASLT_ALGO_CONFIG_STAGES_ID = 6,
    CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID = 7,
    CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID = 8,
};

/// How one product is computed; valid in any process with the same library and the same kind of card.
typedef struct {
    uint64_t data[8];
} cublasLtMatmulAlgo_t;

typedef struct {
    cublasLtMatmulAlgo_t algo;
    size_t workspaceSize;
    cublasStatus_t state;
    float wavesCount;
    int reserved[4];
} cublasLtMatmulHeuristicResult_t;

typedef size_t (*_Nonnull cublasLtGetVersion_t)(void);
typedef const char *_Nonnull (*_Nonnull cublasLtGetStatusName_t)(cublasStatus_t);
typedef const char *_Nonnull (*_Nonnull cublasLtGetStatusString_t)(cublasStatus_t);
typedef cublasStatus_t (*_Nonnull cublasLtCreate_t)(cublasLtHandle_t _Nullable *_Nonnull handle);
typedef cublasStatus_t (*_Nonnull cublasLtDestroy_t)(cublasLtHandle_t _Nonnull handle);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulDescCreate_t)(
    cublasLtMatmulDesc_t _Nullable *_Nonnull product, int computeType, int scaleType);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulDescDestroy_t)(cublasLtMatmulDesc_t _Nonnull product);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulDescSetAttribute_t)(
    cublasLtMatmulDesc_t _Nonnull product, int attribute, const void *_Nonnull value, size_t bytes);
typedef cublasStatus_t (*_Nonnull cublasLtMatrixLayoutCreate_t)(
    cublasLtMatrixLayout_t _Nullable *_Nonnull layout, int dataType, uint64_t rows, uint64_t columns,
    int64_t leadingDimension);
typedef cublasStatus_t (*_Nonnull cublasLtMatrixLayoutDestroy_t)(cublasLtMatrixLayout_t _Nonnull layout);
typedef cublasStatus_t (*_Nonnull cublasLtMatrixLayoutSetAttribute_t)(
    cublasLtMatrixLayout_t _Nonnull layout, int attribute, const void *_Nonnull value, size_t bytes);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulPreferenceCreate_t)(
    cublasLtMatmulPreference_t _Nullable *_Nonnull preference);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulPreferenceDestroy_t)(
    cublasLtMatmulPreference_t _Nonnull preference);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulPreferenceSetAttribute_t)(
    cublasLtMatmulPreference_t _Nonnull preference, int attribute, const void *_Nonnull value,
    size_t bytes);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulAlgoGetHeuristic_t)(
    cublasLtHandle_t _Nonnull handle, cublasLtMatmulDesc_t _Nonnull product,
    cublasLtMatrixLayout_t _Nonnull a, cublasLtMatrixLayout_t _Nonnull b,
    cublasLtMatrixLayout_t _Nonnull c, cublasLtMatrixLayout_t _Nonnull d,
    cublasLtMatmulPreference_t _Nonnull preference, int requested,
    cublasLtMatmulHeuristicResult_t *_Nonnull results, int *_Nonnull found);
typedef cublasStatus_t (*_Nonnull cublasLtMatmulAlgoConfigGetAttribute_t)(
    const cublasLtMatmulAlgo_t *_Nonnull algorithm, int attribute, void *_Nonnull value,
    size_t bytes, size_t *_Nullable written);
typedef cublasStatus_t (*_Nonnull cublasLtMatmul_t)(
    cublasLtHandle_t _Nonnull handle, cublasLtMatmulDesc_t _Nonnull product,
    const void *_Nonnull alpha, const void *_Nullable a, cublasLtMatrixLayout_t _Nonnull aLayout,
    const void *_Nullable b, cublasLtMatrixLayout_t _Nonnull bLayout, const void *_Nonnull beta,
    const void *_Nullable c, cublasLtMatrixLayout_t _Nonnull cLayout, void *_Nullable d,
    cublasLtMatrixLayout_t _Nonnull dLayout, const cublasLtMatmulAlgo_t *_Nullable algorithm,
    void *_Nullable workspace, size_t workspaceBytes, CUstream _Nullable stream);

#endif
