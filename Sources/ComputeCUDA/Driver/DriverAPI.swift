import CNVIDIA

/// The driver's functions, found once, and the check of what they return.
final class DriverAPI: Sendable {
    let getErrorName: cuGetErrorName_t
    let getErrorString: cuGetErrorString_t

    let initialize: cuInit_t
    let deviceGetCount: cuDeviceGetCount_t
    let deviceGet: cuDeviceGet_t
    let deviceGetName: cuDeviceGetName_t
    let deviceGetAttribute: cuDeviceGetAttribute_t
    let deviceGetBusPlace: cuDeviceGetPCIBusId_t
    let primaryContextRetain: cuDevicePrimaryCtxRetain_t
    let primaryContextRelease: cuDevicePrimaryCtxRelease_t
    let contextSetCurrent: cuCtxSetCurrent_t
    let memoryGetInfo: cuMemGetInfo_t

    let streamCreate: cuStreamCreate_t
    let streamDestroy: cuStreamDestroy_t
    let streamSynchronize: cuStreamSynchronize_t
    let streamQuery: cuStreamQuery_t
    let streamWaitEvent: cuStreamWaitEvent_t
    let eventCreate: cuEventCreate_t
    let eventDestroy: cuEventDestroy_t
    let eventRecord: cuEventRecord_t
    let eventSynchronize: cuEventSynchronize_t
    let eventElapsedTime: cuEventElapsedTime_t

    let allocateBlock: cuMemAlloc_t
    let freeBlock: cuMemFree_t
    let poolCreate: cuMemPoolCreate_t
    let poolDestroy: cuMemPoolDestroy_t
    let poolSetAttribute: cuMemPoolSetAttribute_t
    let poolTrim: cuMemPoolTrimTo_t
    let allocateFromPool: cuMemAllocFromPoolAsync_t
    let free: cuMemFreeAsync_t
    let hostAllocate: cuMemHostAlloc_t
    let hostFree: cuMemFreeHost_t
    let hostRegister: cuMemHostRegister_t
    let hostUnregister: cuMemHostUnregister_t
    let copyToDevice: cuMemcpyHtoDAsync_t
    let copyToHost: cuMemcpyDtoHAsync_t
    let setBytes: cuMemsetD8Async_t

    let moduleLoad: cuModuleLoadData_t
    let moduleUnload: cuModuleUnload_t
    let moduleGetFunction: cuModuleGetFunction_t
    let functionSetAttribute: cuFuncSetAttribute_t
    let launchKernel: cuLaunchKernel_t
    /// Drivers for CUDA 12 and later have it.
    let encodeTensorMap: cuTensorMapEncodeTiled_t?

    /// Opens the driver and initialises it; throws `MissingLibrary`, `MissingSymbol` or `CUDAError`.
    init() throws {
        let library = try DynamicLibrary(
            ["libcuda.so.1", "libcuda.so"], purpose: "the CUDA driver")
        getErrorName = try library.symbol("cuGetErrorName")
        getErrorString = try library.symbol("cuGetErrorString")
        initialize = try library.symbol("cuInit")
        deviceGetCount = try library.symbol("cuDeviceGetCount")
        deviceGet = try library.symbol("cuDeviceGet")
        deviceGetName = try library.symbol("cuDeviceGetName")
        deviceGetAttribute = try library.symbol("cuDeviceGetAttribute")
        deviceGetBusPlace = try library.symbol("cuDeviceGetPCIBusId")
        primaryContextRetain = try library.symbol("cuDevicePrimaryCtxRetain")
        primaryContextRelease = try library.symbol("cuDevicePrimaryCtxRelease_v2")
        contextSetCurrent = try library.symbol("cuCtxSetCurrent")
        memoryGetInfo = try library.symbol("cuMemGetInfo_v2")
        streamCreate = try library.symbol("cuStreamCreate")
        streamDestroy = try library.symbol("cuStreamDestroy_v2")
        streamSynchronize = try library.symbol("cuStreamSynchronize")
        streamQuery = try library.symbol("cuStreamQuery")
        streamWaitEvent = try library.symbol("cuStreamWaitEvent")
        eventCreate = try library.symbol("cuEventCreate")
        eventDestroy = try library.symbol("cuEventDestroy_v2")
        eventRecord = try library.symbol("cuEventRecord")
        eventSynchronize = try library.symbol("cuEventSynchronize")
        eventElapsedTime = try library.symbol("cuEventElapsedTime")
        allocateBlock = try library.symbol("cuMemAlloc_v2")
        freeBlock = try library.symbol("cuMemFree_v2")
        poolCreate = try library.symbol("cuMemPoolCreate")
        poolDestroy = try library.symbol("cuMemPoolDestroy")
        poolSetAttribute = try library.symbol("cuMemPoolSetAttribute")
        poolTrim = try library.symbol("cuMemPoolTrimTo")
        allocateFromPool = try library.symbol("cuMemAllocFromPoolAsync")
        free = try library.symbol("cuMemFreeAsync")
        hostAllocate = try library.symbol("cuMemHostAlloc")
        hostFree = try library.symbol("cuMemFreeHost")
        hostRegister = try library.symbol("cuMemHostRegister_v2")
        hostUnregister = try library.symbol("cuMemHostUnregister")
        copyToDevice = try library.symbol("cuMemcpyHtoDAsync_v2")
        copyToHost = try library.symbol("cuMemcpyDtoHAsync_v2")
        setBytes = try library.symbol("cuMemsetD8Async")
        moduleLoad = try library.symbol("cuModuleLoadData")
        moduleUnload = try library.symbol("cuModuleUnload")
        moduleGetFunction = try library.symbol("cuModuleGetFunction")
        functionSetAttribute = try library.symbol("cuFuncSetAttribute")
        launchKernel = try library.symbol("cuLaunchKernel")
        encodeTensorMap = try? library.symbol("cuTensorMapEncodeTiled")
        try check(initialize(0), "cuInit")
    }

    /// Throws `CUDAError` unless `result` is success.
    func check(_ result: CUresult, _ call: StaticString) throws {
        guard result != CUDA_SUCCESS else { return }
        var name: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        _ = getErrorName(result, &name)
        _ = getErrorString(result, &text)
        throw CUDAError(
            call: "\(call)", name: name.map { String(cString: $0) } ?? "error \(result)",
            text: text.map { String(cString: $0) } ?? "unknown to this driver")
    }
}

/// A call of a CUDA library that failed.
public struct CUDAError: Error, CustomStringConvertible {
    /// The function.
    public let call: String
    /// The error as the library names it.
    public let name: String
    /// What the library says of it.
    public let text: String

    public var description: String { "\(call) failed: \(text) (\(name))" }
}
