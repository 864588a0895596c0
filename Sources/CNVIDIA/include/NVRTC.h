// libnvrtc: the compiler of CUDA C++ at run time. Source: NVIDIA's NVRTC documentation for CUDA 13.0.

#ifndef CNVIDIA_NVRTC_h
#define CNVIDIA_NVRTC_h

#include <stddef.h>

typedef int nvrtcResult;
typedef struct _nvrtcProgram *nvrtcProgram;

enum { NVRTC_SUCCESS = 0, NVRTC_ERROR_COMPILATION = 6 };

typedef const char *_Nonnull (*_Nonnull nvrtcGetErrorString_t)(nvrtcResult);
typedef nvrtcResult (*_Nonnull nvrtcVersion_t)(int *_Nonnull major, int *_Nonnull minor);
typedef nvrtcResult (*_Nonnull nvrtcGetNumSupportedArchs_t)(int *_Nonnull count);
typedef nvrtcResult (*_Nonnull nvrtcGetSupportedArchs_t)(int *_Nonnull architectures);
typedef nvrtcResult (*_Nonnull nvrtcCreateProgram_t)(
    nvrtcProgram _Nullable *_Nonnull program, const char *_Nonnull source,
    const char *_Nullable name, int headerCount,
    const char *_Nonnull const *_Nullable headers, const char *_Nonnull const *_Nullable includeNames);
typedef nvrtcResult (*_Nonnull nvrtcDestroyProgram_t)(nvrtcProgram _Nullable *_Nonnull program);
typedef nvrtcResult (*_Nonnull nvrtcCompileProgram_t)(
    nvrtcProgram _Nonnull program, int optionCount,
    const char *_Nullable const *_Nonnull options);
typedef nvrtcResult (*_Nonnull nvrtcGetCUBINSize_t)(nvrtcProgram _Nonnull program, size_t *_Nonnull size);
typedef nvrtcResult (*_Nonnull nvrtcGetCUBIN_t)(nvrtcProgram _Nonnull program, char *_Nonnull cubin);
typedef nvrtcGetCUBINSize_t nvrtcGetPTXSize_t;
typedef nvrtcGetCUBIN_t nvrtcGetPTX_t;
typedef nvrtcResult (*_Nonnull nvrtcGetProgramLogSize_t)(
    nvrtcProgram _Nonnull program, size_t *_Nonnull size);
typedef nvrtcResult (*_Nonnull nvrtcGetProgramLog_t)(nvrtcProgram _Nonnull program, char *_Nonnull log);

#endif
