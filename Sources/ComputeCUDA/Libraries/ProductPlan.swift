import CNVIDIA
import Compute
import Tensors

/// A product ready to run: cuBLASLt's descriptions and the algorithm chosen for them.
///
/// cuBLASLt counts by columns: what is row-major here is the transpose there, so that it computes
/// yᵀ = w xᵀ, with the weight as its matrix A and x as B.
final class ProductPlan {
    /// Bytes that the algorithm works in.
    let workspaceBytes: Int

    private let library: CUBLASLt
    private let product: OwnedProduct
    private let weight: OwnedLayout
    private let x: OwnedLayout
    private let y: OwnedLayout
    private var algorithm: cublasLtMatmulAlgo_t
    private let accumulates: Bool
    private let isInteger: Bool

    /// The product by the algorithm that `choose` takes of the first `count` that cuBLASLt thinks best, best first; nil if
    /// it takes or there is none.
    init?(
        _ description: MatrixProduct, library: CUBLASLt, workspaceLimit: Int, count: Int = 1,
        choose: ([ProductAlgorithm]) -> ProductAlgorithm?
    ) throws {
        self.library = library
        accumulates = description.accumulates
        isInteger = description.type == .int8
        let (w, columns) = (description.weight, description.columns)
        let (inner, rows, batch) = (description.inner, description.rows, description.batch)
        let isTransposed = description.isWeightTransposed
        product = try OwnedProduct(description, library)
        weight = try OwnedLayout(
            library, description.type, rows: isTransposed ? inner : columns,
            columns: isTransposed ? columns : inner, w, batch: batch)
        x = try OwnedLayout(
            library, description.type, rows: inner, columns: rows, description.x, batch: batch)
        y = try OwnedLayout(
            library, description.outputType, rows: columns, columns: rows, description.y,
            batch: batch)
        let preference = try OwnedPreference(description, library, workspaceLimit: workspaceLimit)
        var results = [cublasLtMatmulHeuristicResult_t](
            repeating: cublasLtMatmulHeuristicResult_t(), count: count)
        var found: Int32 = 0
        let status = library.findAlgorithms(
            library.handle, product.handle, weight.handle, x.handle, y.handle, y.handle,
            preference.handle, Int32(count), &results, &found)
        // Where scales of rows are unknown, they are not just unsupported but invalid.
        let isUnknown = description.hasScales && status == CUBLAS_STATUS_INVALID_VALUE
        if status == CUBLAS_STATUS_NOT_SUPPORTED || isUnknown { return nil }
        try library.check(status, "cublasLtMatmulAlgoGetHeuristic")
        let algorithms = results.prefix(Int(found)).filter { $0.state == CUBLAS_STATUS_SUCCESS }
        guard let chosen = choose(algorithms.map { ProductAlgorithm($0, library) }) else {
            return nil
        }
        algorithm = chosen.algorithm
        workspaceBytes = chosen.workspaceBytes
    }

    /// Puts the product into the stream.
    func run(
        alpha: Float, x: Tensor, weight: Tensor, scales: ProductScales?, bias: Tensor?, y: Tensor,
        workspace: DeviceMemory?, stream: Stream
    ) throws {
        if let scales {
            try product.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, scales.weight.address)
            try product.set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, scales.x.address)
        }
        if let bias { try product.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias.address) }
        // Factors are of the sums' type, as bits.
        let factors: [Float] = [alpha, accumulates ? 1 : 0]
        var (alpha, beta) =
            isInteger
            ? (UInt32(factors[0]), UInt32(factors[1]))
            : (factors[0].bitPattern, factors[1].bitPattern)
        func pointer(_ address: UInt64) -> UnsafeMutableRawPointer? {
            UnsafeMutableRawPointer(bitPattern: UInt(address))
        }
        let sum = pointer(y.address)
        // What is dropped before the product is in the stream could become its workspace.
        try withExtendedLifetime((x, weight, scales, bias, y, workspace)) {
            try library.check(
                library.multiply(
                    library.handle, product.handle, &alpha, pointer(weight.address),
                    self.weight.handle, pointer(x.address), self.x.handle, &beta, sum,
                    self.y.handle, sum, self.y.handle, &algorithm,
                    workspace.flatMap { pointer($0.address) }, workspaceBytes, stream.handle),
                "cublasLtMatmul")
        }
    }
}

/// The scales of a product of 8-bit numbers.
struct ProductScales {
    /// float32, one for each row of x.
    let x: Tensor
    /// float32, one for each row of the weight.
    let weight: Tensor
}

// MARK: - cuBLASLt's objects

/// cuBLASLt's description of the arithmetic.
private final class OwnedProduct {
    let handle: cublasLtMatmulDesc_t
    private let library: CUBLASLt

    init(_ description: MatrixProduct, _ library: CUBLASLt) throws {
        self.library = library
        var handle: cublasLtMatmulDesc_t?
        // Sums in float32, and no rounding of float32 operands; of integers in int32.
        let isInteger = description.type == .int8
        try library.check(
            library.createProduct(
                &handle, Int32(isInteger ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F),
                Int32(isInteger ? CUDA_R_32I : CUDA_R_32F)), "cublasLtMatmulDescCreate")
        guard let handle else { preconditionFailure("a product without a handle") }
        self.handle = handle
        try set(
            CUBLASLT_MATMUL_DESC_TRANSA,
            Int32(description.isWeightTransposed ? CUBLAS_OP_T : CUBLAS_OP_N))
        try set(CUBLASLT_MATMUL_DESC_TRANSB, Int32(CUBLAS_OP_N))
        try set(CUBLASLT_MATMUL_DESC_EPILOGUE, Self.epilogue(description))
        if description.type == .float8E4M3 {
            try set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, Int8(description.sumsFast ? 1 : 0))
        }
        if description.hasScales {
            let mode = Int32(CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F)
            try set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, mode)
            try set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, mode)
            // Algorithms are chosen by whether there are scales, not by where.
            let some = UInt64(MatrixProduct.Operand.widestAccess)
            try set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, some)
            try set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, some)
        }
        if description.hasBias {
            try set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, description.outputType.cuBLASType)
            // Stands for the alignment of biases, which all begin an allocation.
            try set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, UInt64(MatrixProduct.Operand.widestAccess))
        }
    }

    deinit { _ = library.destroyProduct(handle) }

    func set<Value: BitwiseCopyable>(_ attribute: Int, _ value: Value) throws {
        var value = value
        try library.check(
            library.setOfProduct(handle, Int32(attribute), &value, MemoryLayout<Value>.size),
            "cublasLtMatmulDescSetAttribute")
    }

    private static func epilogue(_ description: MatrixProduct) -> UInt32 {
        let bits =
            (description.hasBias ? CUBLASLT_EPILOGUE_BIAS : 0)
            | (description.hasGELU ? CUBLASLT_EPILOGUE_GELU : 0)
        return UInt32(bits == 0 ? CUBLASLT_EPILOGUE_DEFAULT : bits)
    }
}

/// cuBLASLt's description of a matrix, counted by columns.
private final class OwnedLayout {
    let handle: cublasLtMatrixLayout_t
    private let library: CUBLASLt

    init(
        _ library: CUBLASLt, _ dataType: DataType, rows: Int, columns: Int,
        _ operand: MatrixProduct.Operand, batch: Int
    ) throws {
        self.library = library
        var handle: cublasLtMatrixLayout_t?
        try library.check(
            library.createLayout(
                &handle, dataType.cuBLASType, UInt64(rows), UInt64(columns),
                Int64(operand.rowStride)), "cublasLtMatrixLayoutCreate")
        guard let handle else { preconditionFailure("a layout without a handle") }
        self.handle = handle
        guard batch > 1 else { return }
        try set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, Int32(batch))
        try set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, Int64(operand.batchStride))
    }

    deinit { _ = library.destroyLayout(handle) }

    private func set<Value: BitwiseCopyable>(_ attribute: Int, _ value: Value) throws {
        var value = value
        try library.check(
            library.setOfLayout(handle, Int32(attribute), &value, MemoryLayout<Value>.size),
            "cublasLtMatrixLayoutSetAttribute")
    }
}

/// What an algorithm may use and rely on.
private final class OwnedPreference {
    let handle: cublasLtMatmulPreference_t
    private let library: CUBLASLt

    init(_ description: MatrixProduct, _ library: CUBLASLt, workspaceLimit: Int) throws {
        self.library = library
        var handle: cublasLtMatmulPreference_t?
        try library.check(library.createPreference(&handle), "cublasLtMatmulPreferenceCreate")
        guard let handle else { preconditionFailure("a preference without a handle") }
        self.handle = handle
        try set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, UInt64(workspaceLimit))
        // Split sums are added in float32 and in a fixed order; sums in the output's type, or in whatever order
        // blocks finish, are refused.
        try set(
            CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
            UInt32(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE))
        let y = UInt32(description.y.alignment)
        try set(
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, UInt32(description.weight.alignment))
        try set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, UInt32(description.x.alignment))
        try set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, y)
        try set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, y)
    }

    deinit { _ = library.destroyPreference(handle) }

    private func set<Value: BitwiseCopyable>(_ attribute: Int, _ value: Value) throws {
        var value = value
        try library.check(
            library.setOfPreference(handle, Int32(attribute), &value, MemoryLayout<Value>.size),
            "cublasLtMatmulPreferenceSetAttribute")
    }
}

extension DataType {
    /// cuBLASLt's number for the type of a matrix.
    fileprivate var cuBLASType: Int32 {
        switch self {
        case .bfloat16: Int32(CUDA_R_16BF)
        case .float8E4M3: Int32(CUDA_R_8F_E4M3)
        case .int8: Int32(CUDA_R_8I)
        case .int32: Int32(CUDA_R_32I)
        default: Int32(CUDA_R_32F)
        }
    }
}
