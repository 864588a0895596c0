// oneDNN's C API for Swift, the same for its generations 2 and 3.
//
// Generation 3 removed the operation descriptors, made memory descriptors opaque and changed a few
// parameters. What differs is wrapped here under the prefix `onednn_`; the rest is used as it is. The library is
// not linked but opened when it is first needed.
// Compiled against 2.6.3, which the tests run with, and 3.13.2.
// Source: "Transition from v2.x to v3.x", oneDNN's developer guide.

#ifndef COneDNN_h
#define COneDNN_h

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR >= 3
/// A description of extents, strides or blocks, and element type.
typedef const_dnnl_memory_desc_t onednn_layout;
#else
/// A description of extents, strides or blocks, and element type.
typedef const dnnl_memory_desc_t *onednn_layout;
#endif

/// Opens the library, unless it is open; null, or why it cannot be opened. To be called before anything else.
const char *onednn_open(void);

/// Creates a layout with these extents and strides; without strides, one that a primitive may choose.
static inline dnnl_status_t onednn_layout_create(
    onednn_layout *layout, int rank, const int64_t *extents, dnnl_data_type_t type,
    const int64_t *strides) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t made = NULL;
    dnnl_status_t status =
        strides ? dnnl_memory_desc_create_with_strides(&made, rank, extents, type, strides)
                : dnnl_memory_desc_create_with_tag(
                      &made, rank, extents, type, dnnl_format_tag_any);
    *layout = made;
    return status;
#else
    dnnl_memory_desc_t *made = (dnnl_memory_desc_t *)malloc(sizeof *made);
    if (!made) return dnnl_out_of_memory;
    dnnl_status_t status =
        strides
            ? dnnl_memory_desc_init_by_strides(made, rank, extents, type, strides)
            : dnnl_memory_desc_init_by_tag(made, rank, extents, type, dnnl_format_tag_any);
    if (status == dnnl_success) {
        *layout = made;
    } else {
        free(made);
    }
    return status;
#endif
}

/// Copies a layout, as one that belongs to a primitive goes with it.
static inline dnnl_status_t onednn_layout_clone(onednn_layout *copy, onednn_layout layout) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t made = NULL;
    dnnl_status_t status = dnnl_memory_desc_clone(&made, layout);
    *copy = made;
    return status;
#else
    dnnl_memory_desc_t *made = (dnnl_memory_desc_t *)malloc(sizeof *made);
    if (!made) return dnnl_out_of_memory;
    memcpy(made, layout, sizeof *made);
    *copy = made;
    return dnnl_success;
#endif
}

/// Ends the life of a layout that was created or cloned.
static inline void onednn_layout_destroy(onednn_layout layout) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_destroy((dnnl_memory_desc_t)layout);
#else
    free((void *)layout);
#endif
}

/// Appends a function of each element to what follows an operation.
static inline dnnl_status_t onednn_append_eltwise(
    dnnl_post_ops_t operations, dnnl_alg_kind_t function, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(operations, function, alpha, beta);
#else
    return dnnl_post_ops_append_eltwise(operations, 1.0f, function, alpha, beta);
#endif
}

/// Appends the addition of what the destination held.
static inline dnnl_status_t onednn_append_sum(dnnl_post_ops_t operations) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef);
#else
    return dnnl_post_ops_append_sum(operations, 1.0f);
#endif
}

/// Describes destination = source weights + bias; the bias may be null.
static inline dnnl_status_t onednn_matmul_create(
    dnnl_primitive_desc_t *primitive, dnnl_engine_t engine, onednn_layout source,
    onednn_layout weights, onednn_layout bias, onednn_layout destination,
    const_dnnl_primitive_attr_t attributes) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_matmul_primitive_desc_create(
        primitive, engine, source, weights, bias, destination, attributes);
#else
    dnnl_matmul_desc_t operation;
    dnnl_status_t status =
        dnnl_matmul_desc_init(&operation, source, weights, bias, destination);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(primitive, &operation, attributes, engine, NULL);
#endif
}

/// Describes a direct convolution for inference; the bias may be null.
static inline dnnl_status_t onednn_convolution_create(
    dnnl_primitive_desc_t *primitive, dnnl_engine_t engine, onednn_layout source,
    onednn_layout weights, onednn_layout bias, onednn_layout destination,
    const int64_t *strides, const int64_t *leading, const int64_t *trailing,
    const_dnnl_primitive_attr_t attributes) {
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_dims_t dilation = {0};
    return dnnl_convolution_forward_primitive_desc_create(
        primitive, engine, dnnl_forward_inference, dnnl_convolution_direct, source, weights,
        bias, destination, strides, dilation, leading, trailing, attributes);
#else
    dnnl_convolution_desc_t operation;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &operation, dnnl_forward_inference, dnnl_convolution_direct, source, weights, bias,
        destination, strides, leading, trailing);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(primitive, &operation, attributes, engine, NULL);
#endif
}

/// The layout that a described primitive wants or chose for an argument; it belongs to the description.
static inline onednn_layout onednn_primitive_layout(
    const_dnnl_primitive_desc_t primitive, int argument) {
    return dnnl_primitive_desc_query_md(primitive, dnnl_query_exec_arg_md, argument);
}

/// The name of the implementation that a described primitive will run.
static inline const char *onednn_primitive_implementation(const_dnnl_primitive_desc_t primitive) {
    const char *name = "";
    dnnl_primitive_desc_query(primitive, dnnl_query_impl_info_str, 0, (void *)&name);
    return name;
}

#endif
