import CNVIDIA

/// One of the ways in which cuBLASLt offers to compute a product.
struct ProductAlgorithm {
    /// cuBLASLt's description, good for any process with the same library and kind of card.
    let algorithm: cublasLtMatmulAlgo_t
    /// Bytes that it works in.
    let workspaceBytes: Int
    private let library: CUBLASLt

    /// What the heuristic found.
    init(_ result: cublasLtMatmulHeuristicResult_t, _ library: CUBLASLt) {
        algorithm = result.algo
        workspaceBytes = result.workspaceSize
        self.library = library
    }

    /// Its number, tile, stages, parts of the sum, order of blocks, own option, instruction's shape and cluster, in the library's
    /// numbers: what tells it from others of the same list.
    var name: String {
        let parts: [(Character, Int, Int)] = [
            ("a", CUBLASLT_ALGO_CONFIG_ID, 4), ("t", CUBLASLT_ALGO_CONFIG_TILE_ID, 4),
            ("s", CUBLASLT_ALGO_CONFIG_STAGES_ID, 4), ("k", CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 4),
            ("w", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, 4),
            ("o", CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, 4),
            ("i", CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, 2),
            ("c", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2),
        ]
        return parts.map { "\($0.0)\(attribute($0.1, bytes: $0.2))" }.joined(separator: " ")
    }

    /// A number of the description; 0 where this version of the library has it not.
    private func attribute(_ attribute: Int, bytes: Int) -> UInt32 {
        var (algorithm, value) = (algorithm, UInt32(0))
        let status = library.attributeOfAlgorithm(
            &algorithm, Int32(attribute), &value, bytes, nil)
        return status == CUBLAS_STATUS_SUCCESS ? value : 0
    }
}
