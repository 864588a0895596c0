import CNVIDIA

/// cuBLASLt's functions and its handle on the current context.
final class CUBLASLt {
    /// The library's version, as in 130000.
    let version: Int
    /// The library's state for the context that was current when it was opened.
    let handle: cublasLtHandle_t

    let createProduct: cublasLtMatmulDescCreate_t
    let destroyProduct: cublasLtMatmulDescDestroy_t
    let setOfProduct: cublasLtMatmulDescSetAttribute_t
    let createLayout: cublasLtMatrixLayoutCreate_t
    let destroyLayout: cublasLtMatrixLayoutDestroy_t
    let setOfLayout: cublasLtMatrixLayoutSetAttribute_t
    let createPreference: cublasLtMatmulPreferenceCreate_t
    let destroyPreference: cublasLtMatmulPreferenceDestroy_t
    let setOfPreference: cublasLtMatmulPreferenceSetAttribute_t
    let findAlgorithms: cublasLtMatmulAlgoGetHeuristic_t
    let attributeOfAlgorithm: cublasLtMatmulAlgoConfigGetAttribute_t
    let multiply: cublasLtMatmul_t
    private let destroy: cublasLtDestroy_t
    private let statusName: cublasLtGetStatusName_t
    private let statusText: cublasLtGetStatusString_t

    /// Opens the library; throws `MissingLibrary`, `MissingSymbol` or `CUDAError`.
    init() throws {
        let library = try Self.open()
        createProduct = try library.symbol("cublasLtMatmulDescCreate")
        destroyProduct = try library.symbol("cublasLtMatmulDescDestroy")
        setOfProduct = try library.symbol("cublasLtMatmulDescSetAttribute")
        createLayout = try library.symbol("cublasLtMatrixLayoutCreate")
        destroyLayout = try library.symbol("cublasLtMatrixLayoutDestroy")
        setOfLayout = try library.symbol("cublasLtMatrixLayoutSetAttribute")
        createPreference = try library.symbol("cublasLtMatmulPreferenceCreate")
        destroyPreference = try library.symbol("cublasLtMatmulPreferenceDestroy")
        setOfPreference = try library.symbol("cublasLtMatmulPreferenceSetAttribute")
        findAlgorithms = try library.symbol("cublasLtMatmulAlgoGetHeuristic")
        attributeOfAlgorithm = try library.symbol("cublasLtMatmulAlgoConfigGetAttribute")
        multiply = try library.symbol("cublasLtMatmul")
        destroy = try library.symbol("cublasLtDestroy")
        statusName = try library.symbol("cublasLtGetStatusName")
        statusText = try library.symbol("cublasLtGetStatusString")
        version = try library.version(by: "cublasLtGetVersion")
        let create: cublasLtCreate_t = try library.symbol("cublasLtCreate")
        var handle: cublasLtHandle_t?
        let status = create(&handle)
        guard status == CUBLAS_STATUS_SUCCESS, let handle else {
            throw CUDAError(
                call: "cublasLtCreate", name: String(cString: statusName(status)),
                text: String(cString: statusText(status)))
        }
        self.handle = handle
    }

    deinit { _ = destroy(handle) }

    /// The version of the library that is there, which is not set up; nil if there is none.
    static var installedVersion: Int? { try? open().version(by: "cublasLtGetVersion") }

    /// The first version with scales for rows and columns.
    static let firstWithRowScales = 120_900

    private static func open() throws -> DynamicLibrary {
        try DynamicLibrary(
            ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"],
            purpose: "CUDA's matrix products cuBLASLt")
    }

    /// Throws `CUDAError` unless `status` is success.
    func check(_ status: cublasStatus_t, _ call: StaticString) throws {
        guard status != CUBLAS_STATUS_SUCCESS else { return }
        throw CUDAError(
            call: "\(call)", name: String(cString: statusName(status)),
            text: String(cString: statusText(status)))
    }
}
