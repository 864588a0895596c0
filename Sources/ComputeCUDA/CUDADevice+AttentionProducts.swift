import Compute
import Tensors

// Attention as two products with a softmax between them: for float32, whose sums cuDNN does not offer, for heads too wide for
// it, and with biases. Scores are float32; probabilities are of the values' type.
extension CUDADevice {
    /// softmax(scale q kᵀ + bias) v, chunk by chunk of queries.
    func attendByProducts(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        let (queries, heads) = (query.shape[1], query.shape[2])
        let chunks = ScoreChunks(heads: heads, queries: queries, keys: key.shape[1])
        let scores = try allocate([chunks.count], .float32)
        // Where both are float32, probabilities take their scores' places.
        let weights =
            query.dataType == .float32 ? scores : try allocate([chunks.count], query.dataType)
        for sequence in 0..<query.shape[0] {
            for range in chunks.ranges(queries: queries) {
                let part = ScoreRows(
                    query: query[sequence].rows(range), key: key[sequence],
                    value: value[sequence], out: out[sequence].rows(range), scores: scores,
                    weights: weights, rowStride: chunks.rowStride)
                guard try attend(part, scale: scale, bias: bias, queries: range) else {
                    return try attendAsFloats(
                        query: query, key: key, value: value, scale: scale, bias: bias, into: out)
                }
            }
        }
    }

    /// One chunk; false if cuBLASLt does not offer products of tensors laid out like that.
    private func attend(
        _ part: ScoreRows, scale: Float, bias: Tensor?, queries: Range<Int>
    ) throws -> Bool {
        let products = try libraries.matrixProducts(for: self)
        let areScored = try products.run(
            part.scoring, alpha: scale, x: part.query, weight: part.key, y: part.scores,
            on: self)
        guard areScored else { return false }
        try softmax(part, bias: bias, queries: queries)
        return try products.run(
            part.mixing, x: part.weights, weight: part.value, y: part.out, on: self)
    }

    /// The probabilities of each row of scores.
    private func softmax(_ part: ScoreRows, bias: Tensor?, queries: Range<Int>) throws {
        let (rows, heads, keys) = (part.query.shape[0], part.query.shape[1], part.key.shape[0])
        let firstBias = bias.map {
            $0.address + UInt64(queries.lowerBound * $0.strides[1] * $0.dataType.size)
        }
        let suffix = part.weights.dataType == .bfloat16 ? "bf16" : "f32"
        try launch(
            "Softmax.softmax_\(suffix)", grid: (rows, heads, 1), block: 256,
            .address(part.scores.address), .int(part.rowStride), .address(firstBias ?? 0),
            .int(bias?.strides[0] ?? 0), .int(bias?.strides[1] ?? 0), .int(keys),
            .address(part.weights.address))
    }

    /// The same with all operands copied to float32, for rows that begin where cuBLASLt's bfloat16 kernels cannot read.
    private func attendAsFloats(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        guard query.dataType != .float32 else {
            throw unsupported("attention of \(query) over \(key) by cuBLASLt")
        }
        let result = try allocate(out.shape, .float32)
        try attendByProducts(
            query: cast(query, to: .float32), key: cast(key, to: .float32),
            value: cast(value, to: .float32), scale: scale, bias: bias, into: result)
        try copy(result, into: out)
    }
}

/// The attention of some queries of one sequence, and where its scores go.
private struct ScoreRows {
    /// [queries, heads, head]
    let query: Tensor
    /// [keys, heads, head]
    let key: Tensor
    /// [keys, heads, head]
    let value: Tensor
    /// [queries, heads, head]
    let out: Tensor
    /// float32 [heads, queries, row stride]
    let scores: Tensor
    /// Like scores, of the values' type.
    let weights: Tensor
    /// Elements from one row of scores to the next.
    let rowStride: Int

    /// scores = query keyᵀ for each head.
    var scoring: MatrixProduct {
        MatrixProduct(
            batch: query.shape[1], rows: query.shape[0], inner: query.shape[2],
            columns: key.shape[0], type: query.dataType, outputType: .float32,
            x: perHead(query), weight: perHead(key), y: rows(of: scores))
    }

    /// out = weights value for each head.
    var mixing: MatrixProduct {
        MatrixProduct(
            batch: query.shape[1], rows: query.shape[0], inner: key.shape[0],
            columns: query.shape[2], isWeightTransposed: false, type: value.dataType,
            outputType: out.dataType, x: rows(of: weights), weight: perHead(value),
            y: perHead(out))
    }

    private func perHead(_ tensor: Tensor) -> MatrixProduct.Operand {
        // A single row has a stride nobody uses, which must not be shorter than the row.
        let rowStride = tensor.shape[0] == 1 ? tensor.shape[2] : tensor.strides[0]
        return MatrixProduct.Operand(
            address: tensor.address, rowStride: rowStride,
            batchStride: tensor.shape[1] == 1 ? 0 : tensor.strides[1], dataType: tensor.dataType)
    }

    private func rows(of scores: Tensor) -> MatrixProduct.Operand {
        MatrixProduct.Operand(
            address: scores.address, rowStride: rowStride,
            batchStride: query.shape[0] * rowStride, dataType: scores.dataType)
    }
}
