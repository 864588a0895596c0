import CKernels
import Compute
import Tensors

extension CPUDevice {
    /// Each piece of work is one head's attention of some successive queries over all keys.
    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        precondition(query.shape.rank == 4 && query.shape == out.shape && query.hasFloatRows)
        precondition(key.shape == value.shape && key.shape[0] == query.shape[0])
        precondition(key.shape[2] == query.shape[2] && key.shape[3] == query.shape[3])
        guard [key, value, out].allSatisfy({ $0.dataType == query.dataType }) else {
            throw unsupported("attention of tensors of different types")
        }
        guard [query, key, value, out].allSatisfy({ $0.scales == nil }) else {
            return try attendWidened(
                query: query, key: key, value: value, scale: scale, bias: bias, into: out)
        }
        let (batch, queries, heads) = (query.shape[0], query.shape[1], query.shape[2])
        if let bias { precondition(bias.shape == [heads, queries, key.shape[1]]) }
        guard out.shape.elementCount > 0 else { return }
        let operands = AttentionOperands(
            query: query, key: key, value: value, bias: bias, out: out, scale: scale)
        let chunk = chunkLength(queries: queries, sequences: batch * heads)
        let chunks = (queries + chunk - 1) / chunk
        let largest = operands.work(batch: 0, head: 0, queries: 0..<min(chunk, queries))
        try runAttention(batch * heads * chunks, like: largest) { index in
            let first = index % chunks * chunk
            return operands.work(
                batch: index / chunks / heads, head: index / chunks % heads,
                queries: first..<min(first + chunk, queries))
        }
    }

    /// Attention of tensors of 8 bits, each widened for the call.
    private func attendWidened(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        let wide = try allocate(out.shape, activationType)
        try attention(
            query: cast(query, to: activationType), key: cast(key, to: activationType),
            value: cast(value, to: activationType), scale: scale, bias: bias, into: wide)
        try copy(wide, into: out)
    }

    /// Queries of a piece of work: few enough for every thread to have some pieces, and for the running sums to stay in
    /// the cache; many, so that keys are brought there seldom.
    private func chunkLength(queries: Int, sequences: Int) -> Int {
        let panel = kernels.pointee.panel
        let cacheful = 256
        let pieces = (4 * workers.count + sequences - 1) / sequences
        let fair = (queries + pieces - 1) / pieces
        let length = min(cacheful, fair)
        return max(panel, (length + panel - 1) / panel * panel)
    }

    /// Runs `count` pieces of work, none larger than `largest`.
    private func runAttention(
        _ count: Int, like largest: kernel_attention, _ work: (Int) -> kernel_attention
    ) throws {
        let kernels = kernels.pointee
        var largest = largest
        try forPieces(count, scratchBytes: kernels.attention_scratch(&largest)) { index, scratch in
            var piece = work(index)
            kernels.attention(&piece, scratch)
        }
    }
}

/// The tensors of one call of `attention`.
private struct AttentionOperands {
    let query: Tensor
    let key: Tensor
    let value: Tensor
    let bias: Tensor?
    let out: Tensor
    let scale: Float

    /// The kernel's work on one head's range of queries.
    func work(batch: Int, head: Int, queries: Range<Int>) -> kernel_attention {
        func address(_ tensor: Tensor, _ row: Int) -> UnsafeMutableRawPointer {
            let offset =
                batch * tensor.strides[0] + row * tensor.strides[1] + head * tensor.strides[2]
            return tensor.address + offset * tensor.dataType.size
        }
        let biasRow = bias.map {
            UnsafePointer(
                $0.address.assumingMemoryBound(to: Float.self) + head * $0.strides[0]
                    + queries.lowerBound * $0.strides[1])
        }
        return kernel_attention(
            query: address(query, queries.lowerBound), key: address(key, 0),
            value: address(value, 0), out: address(out, queries.lowerBound), bias: biasRow,
            query_stride: query.strides[1], key_stride: key.strides[1],
            value_stride: value.strides[1], out_stride: out.strides[1],
            bias_stride: bias?.strides[1] ?? 0, queries: queries.count, keys: key.shape[1],
            head: query.shape[3], scale: scale,
            is_bfloat16: query.dataType == .bfloat16 ? 1 : 0)
    }
}
