// libcuda: the CUDA driver. Source: "CUDA Driver API", NVIDIA's reference for CUDA 13.0.

#ifndef CNVIDIA_Driver_h
#define CNVIDIA_Driver_h

#include <stddef.h>
#include <stdint.h>

typedef int CUresult;
typedef int CUdevice;
/// An address in device memory.
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUmemPoolHandle_st *CUmemoryPool;

enum {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_OUT_OF_MEMORY = 2,
};

enum {
    CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
    CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED = 115,
};

enum { CU_STREAM_NON_BLOCKING = 1 };
enum { CU_EVENT_DEFAULT = 0, CU_EVENT_DISABLE_TIMING = 2 };
enum { CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8 };

enum {
    CU_TENSOR_MAP_DATA_TYPE_UINT8 = 0,
    CU_TENSOR_MAP_DATA_TYPE_UINT64 = 4,
    CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9
};
enum { CU_TENSOR_MAP_SWIZZLE_NONE = 0, CU_TENSOR_MAP_SWIZZLE_128B = 3 };
enum { CU_TENSOR_MAP_L2_PROMOTION_L2_128B = 2 };

enum {
    CU_MEMPOOL_ATTR_RELEASE_THRESHOLD = 4,
};

enum { CU_MEM_ALLOCATION_TYPE_PINNED = 1, CU_MEM_LOCATION_TYPE_DEVICE = 1 };

typedef struct {
    int type;
    int id;
} CUmemLocation;

typedef struct {
    int allocType;
    int handleTypes;
    CUmemLocation location;
    void *_Nullable win32SecurityAttributes;
    size_t maxSize;
    unsigned char reserved[56];
} CUmemPoolProps;

// Errors
typedef CUresult (*_Nonnull cuGetErrorName_t)(CUresult, const char *_Nullable *_Nonnull);
typedef CUresult (*_Nonnull cuGetErrorString_t)(CUresult, const char *_Nullable *_Nonnull);

// Devices and contexts
typedef CUresult (*_Nonnull cuInit_t)(unsigned int flags);
typedef CUresult (*_Nonnull cuDeviceGetCount_t)(int *_Nonnull count);
typedef CUresult (*_Nonnull cuDeviceGet_t)(CUdevice *_Nonnull device, int ordinal);
typedef CUresult (*_Nonnull cuDeviceGetName_t)(char *_Nonnull name, int capacity, CUdevice device);
typedef CUresult (*_Nonnull cuDeviceGetAttribute_t)(
    int *_Nonnull value, int attribute, CUdevice device);
/// The card's place on the bus, as in "0000:3b:00.0", by which other libraries know it too.
typedef CUresult (*_Nonnull cuDeviceGetPCIBusId_t)(
    char *_Nonnull place, int capacity, CUdevice device);
typedef CUresult (*_Nonnull cuDevicePrimaryCtxRetain_t)(
    CUcontext _Nullable *_Nonnull context, CUdevice device);
typedef CUresult (*_Nonnull cuDevicePrimaryCtxRelease_t)(CUdevice device);
typedef CUresult (*_Nonnull cuCtxSetCurrent_t)(CUcontext _Nullable context);
typedef CUresult (*_Nonnull cuMemGetInfo_t)(size_t *_Nonnull free, size_t *_Nonnull total);

// Streams and events
typedef CUresult (*_Nonnull cuStreamCreate_t)(CUstream _Nullable *_Nonnull stream, unsigned int flags);
typedef CUresult (*_Nonnull cuStreamDestroy_t)(CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuStreamSynchronize_t)(CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuStreamQuery_t)(CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuStreamWaitEvent_t)(
    CUstream _Nonnull stream, CUevent _Nonnull event, unsigned int flags);
typedef CUresult (*_Nonnull cuEventCreate_t)(CUevent _Nullable *_Nonnull event, unsigned int flags);
typedef CUresult (*_Nonnull cuEventDestroy_t)(CUevent _Nonnull event);
typedef CUresult (*_Nonnull cuEventRecord_t)(CUevent _Nonnull event, CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuEventSynchronize_t)(CUevent _Nonnull event);
typedef CUresult (*_Nonnull cuEventElapsedTime_t)(
    float *_Nonnull milliseconds, CUevent _Nonnull start, CUevent _Nonnull end);

// Memory
typedef CUresult (*_Nonnull cuMemAlloc_t)(CUdeviceptr *_Nonnull address, size_t bytes);
typedef CUresult (*_Nonnull cuMemFree_t)(CUdeviceptr address);
typedef CUresult (*_Nonnull cuMemPoolCreate_t)(
    CUmemoryPool _Nullable *_Nonnull pool, const CUmemPoolProps *_Nonnull properties);
typedef CUresult (*_Nonnull cuMemPoolDestroy_t)(CUmemoryPool _Nonnull pool);
typedef CUresult (*_Nonnull cuMemPoolSetAttribute_t)(
    CUmemoryPool _Nonnull pool, int attribute, void *_Nonnull value);
typedef CUresult (*_Nonnull cuMemPoolTrimTo_t)(CUmemoryPool _Nonnull pool, size_t bytesToKeep);
typedef CUresult (*_Nonnull cuMemAllocFromPoolAsync_t)(
    CUdeviceptr *_Nonnull address, size_t bytes, CUmemoryPool _Nonnull pool,
    CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuMemFreeAsync_t)(CUdeviceptr address, CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuMemHostAlloc_t)(
    void *_Nullable *_Nonnull address, size_t bytes, unsigned int flags);
typedef CUresult (*_Nonnull cuMemFreeHost_t)(void *_Nonnull address);
typedef CUresult (*_Nonnull cuMemHostRegister_t)(
    void *_Nonnull address, size_t bytes, unsigned int flags);
typedef CUresult (*_Nonnull cuMemHostUnregister_t)(void *_Nonnull address);
typedef CUresult (*_Nonnull cuMemcpyHtoDAsync_t)(
    CUdeviceptr target, const void *_Nonnull source, size_t bytes, CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuMemcpyDtoHAsync_t)(
    void *_Nonnull target, CUdeviceptr source, size_t bytes, CUstream _Nonnull stream);
typedef CUresult (*_Nonnull cuMemsetD8Async_t)(
    CUdeviceptr target, unsigned char value, size_t bytes, CUstream _Nonnull stream);

// Modules and kernels
typedef CUresult (*_Nonnull cuModuleLoadData_t)(
    CUmodule _Nullable *_Nonnull module, const void *_Nonnull image);
typedef CUresult (*_Nonnull cuModuleUnload_t)(CUmodule _Nonnull module);
typedef CUresult (*_Nonnull cuModuleGetFunction_t)(
    CUfunction _Nullable *_Nonnull function, CUmodule _Nonnull module, const char *_Nonnull name);
typedef CUresult (*_Nonnull cuFuncSetAttribute_t)(
    CUfunction _Nonnull function, int attribute, int value);
typedef CUresult (*_Nonnull cuTensorMapEncodeTiled_t)(
    void *_Nonnull map, int dataType, unsigned int rank, void *_Nonnull address,
    const unsigned long long *_Nonnull sizes, const unsigned long long *_Nonnull strides,
    const unsigned int *_Nonnull box, const unsigned int *_Nonnull elementStrides,
    int interleave, int swizzle, int promotion, int fill);
typedef CUresult (*_Nonnull cuLaunchKernel_t)(
    CUfunction _Nonnull function, unsigned int gridX, unsigned int gridY, unsigned int gridZ,
    unsigned int blockX, unsigned int blockY, unsigned int blockZ, unsigned int sharedBytes,
    CUstream _Nonnull stream, void *_Nullable *_Nullable parameters,
    void *_Nullable *_Nullable extra);

#endif
