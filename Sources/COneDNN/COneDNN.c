// The functions of oneDNN that this project calls, each passed on to the library, which is opened by name when it
// is first needed: a tool that computes elsewhere starts on a machine that has no oneDNN.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Hidden, so that the library's own calls find the library's functions. What the system has is included before.
#pragma GCC visibility push(hidden)
#include "COneDNN.h"
#pragma GCC visibility pop

#define TEXT(number) #number
#define SONAME(major) "libdnnl.so." TEXT(major)

/// The library; null before it is opened, and where it cannot be.
static void *library;

const char *onednn_open(void) {
    // As the headers say, since calls differ between generations.
    if (!library) library = dlopen(SONAME(DNNL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    return library ? NULL : dlerror();
}

/// A function of the library. Ends the process where the library is missing, which `onednn_open` tells.
static void *find(const char *name) {
    const char *problem = onednn_open();
    void *function = problem ? NULL : dlsym(library, name);
    if (!function) {
        fprintf(stderr, "oneDNN has no %s: %s\n", name, problem ? problem : dlerror());
        abort();
    }
    return function;
}

/// Defines a function that passes its arguments on.
#define PASS(result, name, parameters, arguments)                                                \
    result name parameters {                                                                     \
        static __typeof__(&name) found;                                                          \
        if (!found) found = (__typeof__(&name))find(#name);                                      \
        return found arguments;                                                                  \
    }

// Engines and streams
PASS(dnnl_status_t, dnnl_engine_create,
     (dnnl_engine_t *engine, dnnl_engine_kind_t kind, size_t index), (engine, kind, index))
PASS(dnnl_status_t, dnnl_engine_destroy, (dnnl_engine_t engine), (engine))
PASS(dnnl_status_t, dnnl_stream_create,
     (dnnl_stream_t *stream, dnnl_engine_t engine, unsigned flags), (stream, engine, flags))
PASS(dnnl_status_t, dnnl_stream_destroy, (dnnl_stream_t stream), (stream))
PASS(dnnl_status_t, dnnl_stream_wait, (dnnl_stream_t stream), (stream))

// Memory
PASS(dnnl_status_t, dnnl_memory_create,
     (dnnl_memory_t *memory, onednn_layout layout, dnnl_engine_t engine, void *handle),
     (memory, layout, engine, handle))
PASS(dnnl_status_t, dnnl_memory_destroy, (dnnl_memory_t memory), (memory))
PASS(dnnl_status_t, dnnl_memory_set_data_handle, (dnnl_memory_t memory, void *handle),
     (memory, handle))
PASS(int, dnnl_memory_desc_equal, (onednn_layout a, onednn_layout b), (a, b))
PASS(size_t, dnnl_memory_desc_get_size, (onednn_layout layout), (layout))

// Attributes
PASS(dnnl_status_t, dnnl_post_ops_create, (dnnl_post_ops_t *operations), (operations))
PASS(dnnl_status_t, dnnl_post_ops_destroy, (dnnl_post_ops_t operations), (operations))
PASS(dnnl_status_t, dnnl_primitive_attr_create, (dnnl_primitive_attr_t *attributes), (attributes))
PASS(dnnl_status_t, dnnl_primitive_attr_destroy, (dnnl_primitive_attr_t attributes), (attributes))
PASS(dnnl_status_t, dnnl_primitive_attr_set_post_ops,
     (dnnl_primitive_attr_t attributes, const_dnnl_post_ops_t operations),
     (attributes, operations))
PASS(dnnl_status_t, dnnl_primitive_attr_set_scratchpad_mode,
     (dnnl_primitive_attr_t attributes, dnnl_scratchpad_mode_t mode), (attributes, mode))

// Primitives
PASS(dnnl_status_t, dnnl_primitive_create,
     (dnnl_primitive_t *primitive, const_dnnl_primitive_desc_t description),
     (primitive, description))
PASS(dnnl_status_t, dnnl_primitive_destroy, (dnnl_primitive_t primitive), (primitive))
PASS(dnnl_status_t, dnnl_primitive_execute,
     (const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count,
      const dnnl_exec_arg_t *arguments),
     (primitive, stream, count, arguments))
PASS(dnnl_status_t, dnnl_primitive_desc_destroy, (dnnl_primitive_desc_t description),
     (description))
PASS(dnnl_status_t, dnnl_primitive_desc_query,
     (const_dnnl_primitive_desc_t description, dnnl_query_t what, int index, void *result),
     (description, what, index, result))
PASS(onednn_layout, dnnl_primitive_desc_query_md,
     (const_dnnl_primitive_desc_t description, dnnl_query_t what, int index),
     (description, what, index))
PASS(dnnl_status_t, dnnl_reorder_primitive_desc_create,
     (dnnl_primitive_desc_t *description, onednn_layout source, dnnl_engine_t source_engine,
      onednn_layout destination, dnnl_engine_t destination_engine,
      const_dnnl_primitive_attr_t attributes),
     (description, source, source_engine, destination, destination_engine, attributes))

// What differs between generations
#if DNNL_VERSION_MAJOR >= 3
PASS(dnnl_status_t, dnnl_memory_desc_create_with_strides,
     (dnnl_memory_desc_t *layout, int rank, const dnnl_dims_t extents, dnnl_data_type_t type,
      const dnnl_dims_t strides),
     (layout, rank, extents, type, strides))
PASS(dnnl_status_t, dnnl_memory_desc_create_with_tag,
     (dnnl_memory_desc_t *layout, int rank, const dnnl_dims_t extents, dnnl_data_type_t type,
      dnnl_format_tag_t tag),
     (layout, rank, extents, type, tag))
PASS(dnnl_status_t, dnnl_memory_desc_clone, (dnnl_memory_desc_t *copy, onednn_layout layout),
     (copy, layout))
PASS(dnnl_status_t, dnnl_memory_desc_destroy, (dnnl_memory_desc_t layout), (layout))
PASS(dnnl_status_t, dnnl_post_ops_append_eltwise,
     (dnnl_post_ops_t operations, dnnl_alg_kind_t function, float alpha, float beta),
     (operations, function, alpha, beta))
PASS(dnnl_status_t, dnnl_post_ops_append_sum,
     (dnnl_post_ops_t operations, float scale, int32_t zero, dnnl_data_type_t type),
     (operations, scale, zero, type))
PASS(dnnl_status_t, dnnl_matmul_primitive_desc_create,
     (dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout source,
      onednn_layout weights, onednn_layout bias, onednn_layout destination,
      const_dnnl_primitive_attr_t attributes),
     (description, engine, source, weights, bias, destination, attributes))
PASS(dnnl_status_t, dnnl_convolution_forward_primitive_desc_create,
     (dnnl_primitive_desc_t *description, dnnl_engine_t engine, dnnl_prop_kind_t direction,
      dnnl_alg_kind_t algorithm, onednn_layout source, onednn_layout weights,
      onednn_layout bias, onednn_layout destination, const dnnl_dims_t strides,
      const dnnl_dims_t dilation, const dnnl_dims_t leading, const dnnl_dims_t trailing,
      const_dnnl_primitive_attr_t attributes),
     (description, engine, direction, algorithm, source, weights, bias, destination, strides,
      dilation, leading, trailing, attributes))
#else
PASS(dnnl_status_t, dnnl_memory_desc_init_by_strides,
     (dnnl_memory_desc_t *layout, int rank, const dnnl_dims_t extents, dnnl_data_type_t type,
      const dnnl_dims_t strides),
     (layout, rank, extents, type, strides))
PASS(dnnl_status_t, dnnl_memory_desc_init_by_tag,
     (dnnl_memory_desc_t *layout, int rank, const dnnl_dims_t extents, dnnl_data_type_t type,
      dnnl_format_tag_t tag),
     (layout, rank, extents, type, tag))
PASS(dnnl_status_t, dnnl_post_ops_append_eltwise,
     (dnnl_post_ops_t operations, float scale, dnnl_alg_kind_t function, float alpha, float beta),
     (operations, scale, function, alpha, beta))
PASS(dnnl_status_t, dnnl_post_ops_append_sum, (dnnl_post_ops_t operations, float scale),
     (operations, scale))
PASS(dnnl_status_t, dnnl_matmul_desc_init,
     (dnnl_matmul_desc_t *operation, onednn_layout source, onednn_layout weights,
      onednn_layout bias, onednn_layout destination),
     (operation, source, weights, bias, destination))
PASS(dnnl_status_t, dnnl_convolution_forward_desc_init,
     (dnnl_convolution_desc_t *operation, dnnl_prop_kind_t direction, dnnl_alg_kind_t algorithm,
      onednn_layout source, onednn_layout weights, onednn_layout bias, onednn_layout destination,
      const dnnl_dims_t strides, const dnnl_dims_t leading, const dnnl_dims_t trailing),
     (operation, direction, algorithm, source, weights, bias, destination, strides, leading,
      trailing))
PASS(dnnl_status_t, dnnl_primitive_desc_create,
     (dnnl_primitive_desc_t *description, const_dnnl_op_desc_t operation,
      const_dnnl_primitive_attr_t attributes, dnnl_engine_t engine,
      const_dnnl_primitive_desc_t hint),
     (description, operation, attributes, engine, hint))
#endif
