import CNVIDIA

/// cuDNN's functions and its handle, which puts work into one stream.
final class CUDNN {
    /// The library's version, as in 91400 for 9.14.0.
    let version: Int
    /// The library's state for the context that was current when it was opened.
    let handle: cudnnHandle_t

    let createDescriptor: cudnnBackendCreateDescriptor_t
    let destroyDescriptor: cudnnBackendDestroyDescriptor_t
    let finalize: cudnnBackendFinalize_t
    let setAttribute: cudnnBackendSetAttribute_t
    let getAttribute: cudnnBackendGetAttribute_t
    private let executePlan: cudnnBackendExecute_t
    private let destroy: cudnnDestroy_t
    private let errorName: cudnnGetErrorString_t
    private let lastError: cudnnGetLastErrorString_t

    /// Engines that were found best.
    let choices: LibraryChoices
    /// Plans of earlier processes.
    let store: PlanStore
    /// The plans made so far for attention; nil where the library offers none.
    var attention: [AttentionProblem: AttentionPlan?] = [:]
    /// The plans made so far for convolutions; nil where the library offers none.
    var convolutions: [ConvolutionProblem: ConvolutionPlan?] = [:]

    /// Opens the library; throws `MissingLibrary`, `MissingSymbol` or `CUDAError`.
    init(_ context: Context, stream: Stream) throws {
        let library = try Self.open()
        createDescriptor = try library.symbol("cudnnBackendCreateDescriptor")
        destroyDescriptor = try library.symbol("cudnnBackendDestroyDescriptor")
        finalize = try library.symbol("cudnnBackendFinalize")
        setAttribute = try library.symbol("cudnnBackendSetAttribute")
        getAttribute = try library.symbol("cudnnBackendGetAttribute")
        executePlan = try library.symbol("cudnnBackendExecute")
        destroy = try library.symbol("cudnnDestroy")
        errorName = try library.symbol("cudnnGetErrorString")
        lastError = try library.symbol("cudnnGetLastErrorString")
        version = try library.version(by: "cudnnGetVersion")
        choices = LibraryChoices(
            "cuDNN", version: version, architecture: context.architecture)
        store = PlanStore(version: version, context: context)
        let create: cudnnCreate_t = try library.symbol("cudnnCreate")
        let setStream: cudnnSetStream_t = try library.symbol("cudnnSetStream")
        var handle: cudnnHandle_t?
        let status = create(&handle)
        guard status == CUDNN_STATUS_SUCCESS, let handle else {
            throw CUDAError(
                call: "cudnnCreate", name: String(cString: errorName(status)),
                text: "no handle from '\(library.path)'")
        }
        self.handle = handle
        try check(setStream(handle, stream.handle), "cudnnSetStream")
    }

    deinit { _ = destroy(handle) }

    /// The version of the library that is there, which is not set up; nil if there is none.
    static var installedVersion: Int? { try? open().version(by: "cudnnGetVersion") }

    private static func open() throws -> DynamicLibrary {
        try DynamicLibrary(
            ["libcudnn.so.9", "libcudnn.so"], purpose: "CUDA's attention and convolutions cuDNN")
    }

    /// Throws `CUDAError` unless `status` is success.
    func check(_ status: cudnnStatus_t, _ call: String) throws {
        guard status != CUDNN_STATUS_SUCCESS else { return }
        var text = [CChar](repeating: 0, count: 512)
        lastError(&text, text.count)
        throw CUDAError(
            call: call, name: String(cString: errorName(status)),
            text: text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }

    /// Puts a plan with its operands into the stream.
    func execute(_ plan: Descriptor, _ operands: Descriptor) throws {
        try check(executePlan(handle, plan.handle, operands.handle), "cudnnBackendExecute")
    }
}
