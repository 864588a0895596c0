// The inner loops of the CPU device, compiled once for each instruction set.
//
// Swift on x86-64 generates code for SSE2 alone and has no per-function targets, which is enough where
// memory is the limit but not for exponentials, norms and attention. These loops are written once,
// on vectors of a width that the including file sets, and `kernels_best` chooses at run time.

#ifndef CKernels_h
#define CKernels_h

#include <stddef.h>
#include <stdint.h>

/// A function applied to each element; the numbers are those of Swift's side.
enum kernel_activation {
    kernel_identity,
    kernel_silu,
    kernel_gelu,
    kernel_gelu_tanh,
};

/// One head's attention of successive queries over all keys. Strides are elements between rows.
struct kernel_attention {
    /// [queries, head], float32 or bfloat16 as `is_bfloat16` says, like keys, values and out.
    const void *query;
    /// [keys, head].
    const void *key;
    /// [keys, head].
    const void *value;
    /// [queries, head].
    void *out;
    /// [queries, keys] float32, or null.
    const float *bias;
    ptrdiff_t query_stride, key_stride, value_stride, out_stride, bias_stride;
    size_t queries, keys, head;
    /// What products of queries and keys are multiplied with.
    float scale;
    int is_bfloat16;
};

/// A range of tiles of 2 x 2 outputs, in successive frames, of a convolution with a kernel of [taps, 3, 3] and stride 1.
struct kernel_winograd {
    /// The first of frames + taps - 1 pictures [height, width, channels], float32 or bfloat16 as `is_bfloat16` says.
    const void *x;
    /// Transformed kernels [16, panels of outputs, taps, channels, panel] as x's type; bfloat16 in pairs of
    /// channels, [.., channels / 2, panel, 2].
    const void *weights;
    /// [out_channels] or null.
    const float *bias;
    /// Like y, or null; may be y.
    const void *residual;
    /// The first of the pictures [out_height, out_width, out_channels], as `out_is_bfloat16` says.
    void *y;
    size_t frames, taps, height, width, channels;
    size_t out_height, out_width, out_channels;
    /// Zeros above and to the left.
    ptrdiff_t top, left;
    /// The range of tiles, in row-major order.
    size_t first_tile, tiles;
    int is_bfloat16, out_is_bfloat16;
};

/// The loops of one instruction set. Rows are float32; input and output may be the same row.
struct kernel_table {
    /// The instruction set's name.
    const char *name;
    /// Whether products of bfloat16 are offered beside those of float32.
    int has_pairs;
    /// Numbers that products work on together: queries of attention, output channels of convolutions.
    size_t panel;
    /// Rows that products work on together.
    size_t rows;
    /// y = x, from bfloat16 to float32.
    void (*widen)(const uint16_t *x, float *y, size_t count);
    /// y = x rounded to the nearest bfloat16, ties to even.
    void (*narrow)(const float *x, uint16_t *y, size_t count);
    /// The largest magnitude; NaN if an element is not finite.
    float (*magnitude)(const float *x, size_t count);
    /// y = x * factor rounded to the nearest integer, ties to even, within 127; 0 for NaN.
    void (*to_int8)(const float *x, float factor, int8_t *y, size_t count);
    /// y = x * factor rounded to the nearest float8_e4m3, ties to even, within 448; NaN stays NaN.
    void (*to_float8)(const float *x, float factor, uint8_t *y, size_t count);
    /// y = x * factor, from int8.
    void (*from_int8)(const int8_t *x, float factor, float *y, size_t count);
    /// y = x * factor, from float8_e4m3.
    void (*from_float8)(const uint8_t *x, float factor, float *y, size_t count);
    /// y = x * factor * scale + bias; the bias may be null.
    void (*scale_sums)(
        const float *x, float factor, const float *scale, const float *bias, float *y,
        size_t count);
    /// y = activation(x).
    void (*activate)(enum kernel_activation activation, const float *x, float *y, size_t count);
    /// y = activation(x) * factor.
    void (*multiply)(
        enum kernel_activation activation, const float *x, const float *factor, float *y,
        size_t count);
    /// y = x + factor * addend * gate; the gate may be null.
    void (*add)(
        const float *x, const float *addend, const float *gate, float factor, float *y,
        size_t count);
    /// y = x * scale + shift.
    void (*affine)(
        const float *x, const float *scale, const float *shift, float *y, size_t count);
    /// y = (x - mean) / sqrt(variance + epsilon) [* weight] [+ bias] [* (1 + scale)] [+ shift].
    void (*layer_norm)(
        const float *x, const float *weight, const float *bias, const float *scale,
        const float *shift, float epsilon, float *y, size_t count);
    /// y = x / sqrt(mean(x²) + epsilon) * weight.
    void (*rms_norm)(const float *x, const float *weight, float epsilon, float *y, size_t count);
    /// y = activation(x / max(‖x‖, 1e-12) * sqrt(count) * weight).
    void (*channel_norm)(
        enum kernel_activation activation, const float *x, const float *weight, float *y,
        size_t count);
    /// Turns each successive pair of each of `heads` heads by table [head / 2, 2] of (cos, sin).
    void (*rotate)(const float *x, const float *table, float *y, size_t heads, size_t head);
    /// Bytes of scratch memory that `attention` needs, 64-byte aligned.
    size_t (*attention_scratch)(const struct kernel_attention *work);
    /// out = softmax(scale query keyᵀ + bias) value.
    void (*attention)(const struct kernel_attention *work, void *scratch);
    /// Bytes of scratch memory that `winograd` needs, 64-byte aligned.
    size_t (*winograd_scratch)(const struct kernel_winograd *work);
    /// y = x convolved with the kernels + bias + residual.
    void (*winograd)(const struct kernel_winograd *work, void *scratch);
};

/// The loops of the best instruction set that this processor has.
const struct kernel_table *kernels_best(void);

/// The loops of every instruction set that this processor has, worst first; returns their number.
size_t kernels_available(const struct kernel_table *tables[4]);

/// Whether products of bfloat16 are faster than of float32 here.
int kernels_have_bfloat16(void);

/// Whether products of int8 are exact and faster than of bfloat16 here.
int kernels_have_int8(void);

/// Opens OpenMP's library, unless it is open; null, or why it cannot be opened. To be called before what follows.
const char *kernels_open(void);

/// The number of threads that OpenMP would use: cores of the affinity mask, or OMP_NUM_THREADS.
int kernels_default_threads(void);

/// Makes OpenMP, and so oneDNN, use this many threads when called from this thread.
void kernels_set_threads(int threads);

/// Calls `body` on `threads` threads of OpenMP's pool, which oneDNN uses too: a second pool would compete with
/// its spinning workers for the same cores.
void kernels_parallel(int threads, void (*body)(int thread, void *context), void *context);

#endif
