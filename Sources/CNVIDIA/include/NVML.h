// libnvidia-ml: what the cards of a machine do, as nvidia-smi shows it. Source: NVIDIA's NVML API reference, release 580.

#ifndef CNVIDIA_NVML_h
#define CNVIDIA_NVML_h

typedef int nvmlReturn_t;
typedef struct nvmlDevice_st *nvmlDevice_t;

enum { NVML_SUCCESS = 0, NVML_ERROR_INSUFFICIENT_SIZE = 7 };

typedef struct {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
} nvmlMemory_t;

typedef struct {
    unsigned int pid;
    /// All ones where it is not known.
    unsigned long long usedGpuMemory;
    unsigned int gpuInstanceId;
    unsigned int computeInstanceId;
} nvmlProcessInfo_t;

typedef nvmlReturn_t (*_Nonnull nvmlInit_v2_t)(void);
typedef nvmlReturn_t (*_Nonnull nvmlDeviceGetHandleByPciBusId_v2_t)(
    const char *_Nonnull place, nvmlDevice_t _Nullable *_Nonnull device);
typedef nvmlReturn_t (*_Nonnull nvmlDeviceGetMemoryInfo_t)(
    nvmlDevice_t _Nonnull device, nvmlMemory_t *_Nonnull memory);
typedef nvmlReturn_t (*_Nonnull nvmlDeviceGetComputeRunningProcesses_v3_t)(
    nvmlDevice_t _Nonnull device, unsigned int *_Nonnull count,
    nvmlProcessInfo_t *_Nullable processes);

#endif
