// The used part of NVIDIA's C interfaces: types, numbers, and the types of functions.
//
// Nothing here is linked: the libraries are opened by name at run time, so that a build needs no CUDA. Names and numbers
// are those of NVIDIA's documentation, for CUDA 12 and 13 and cuDNN 9 alike; `name_t` is the type of the function `name`.

#ifndef CNVIDIA_h
#define CNVIDIA_h

#include "CUBLASLt.h"
#include "CUDNN.h"
#include "Driver.h"
#include "NVML.h"
#include "NVRTC.h"

#endif
