import CKernels
import Compute
import Tensors

extension CPUDevice {
    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws {
        precondition(x.shape == y.shape)
        let (weights, biases) = (weight.map(vector), bias.map(vector))
        let rows = Rows(x).count
        let (scales, shifts) = (scale.map { Groups($0, rows) }, shift.map { Groups($0, rows) })
        try mapRows(x, into: y) { [kernels = kernels.pointee] row, x, y, width in
            kernels.layer_norm(
                x, weights, biases, scales?[row], shifts?[row], epsilon, y, width)
        }
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws {
        let weights = vector(weight)
        let width = weight.shape.elementCount
        let (x, heads) = try splitHeads(x, y, width: width)
        let target = y.shape.rank > 2 && y.shape[-1] != width ? y.joiningColumns() : y
        precondition(x.shape == target.shape)
        let tables = rotation.map { Groups($0.joiningColumns(), Rows(x).count) }
        let head = rotation.map { 2 * $0.shape[1] } ?? 0
        precondition(rotation == nil || heads == nil || heads == width / head)
        try mapRows(x, into: target) { [kernels = kernels.pointee] row, x, y, width in
            kernels.rms_norm(x, weights, epsilon, y, width)
            if let tables { kernels.rotate(y, tables[row], y, width / head, head) }
        }
    }

    /// x with heads joined to rows of `width`, and the number of heads if either tensor says so.
    private func splitHeads(_ x: Tensor, _ y: Tensor, width: Int) throws -> (Tensor, Int?) {
        precondition(x.shape.elementCount == y.shape.elementCount)
        let heads = y.shape.rank > 2 && y.shape[-1] != width ? y.shape[-2] : nil
        let isSplit = x.shape.rank > 2 && x.shape[-1] != width
        return (isSplit ? x.joiningColumns() : x, heads)
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape && x.shape.rank == 3)
        let (heads, head) = (x.shape[1], x.shape[2])
        precondition(table.shape == [x.shape[0], head / 2, 2])
        guard x.shape.elementCount > 0 else { return }
        let tables = Groups(table.joiningColumns(), x.shape[0])
        guard !y.hasScaledRows else {
            // A row's scale is known when all of its heads are turned.
            return try mapRows(x.joiningColumns(), into: y.joiningColumns()) {
                [kernels = kernels.pointee] row, x, y, _ in
                kernels.rotate(x, tables[row], y, heads, head)
            }
        }
        try mapRows(x, into: y) { [kernels = kernels.pointee] row, x, y, width in
            kernels.rotate(x, tables[row / heads], y, 1, width)
        }
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) throws {
        precondition(x.shape == y.shape && weight.shape.elementCount == x.shape[-1])
        let weights = vector(weight)
        try mapRows(x, into: y) { [kernels = kernels.pointee] _, x, y, width in
            kernels.channel_norm(activation.kernel, x, weights, y, width)
        }
    }
}

/// Rows [groups, dim] of float32 that stand for groups of successive rows of another tensor.
struct Groups {
    private let rows: Rows
    private let length: Int

    /// A row of `tensor` for each of equal groups of `count` rows.
    init(_ tensor: Tensor, _ count: Int) {
        precondition(tensor.dataType == .float32)
        rows = Rows(tensor)
        precondition(rows.count > 0 && count % rows.count == 0)
        length = max(1, count / rows.count)
    }

    /// What stands for a row.
    subscript(row: Int) -> UnsafePointer<Float> {
        UnsafePointer(rows.address(row / length).assumingMemoryBound(to: Float.self))
    }
}

extension CPUDevice {
    /// A float32 vector's first element.
    func vector(_ tensor: Tensor) -> UnsafePointer<Float> { UnsafePointer(tensor.floatAddress) }

    /// Rows that are worth waking a thread for.
    func grain(width: Int) -> Int { max(1, (1 << 14) / max(1, width)) }

    /// Calls `body` with the number, the float32 elements in and out, and the width of each row of x.
    func mapRows(
        _ x: Tensor, into y: Tensor,
        _ body: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) throws {
        precondition(x.hasFloatRows && y.hasFloatRows && x.shape == y.shape)
        guard x.shape.elementCount > 0 else { return }
        let (inputs, outputs) = (Rows(x), Rows(y))
        workers.forRanges(of: inputs.count, minimum: grain(width: inputs.width)) { range in
            let (reader, writer) = (RowReader(inputs, kernels), RowWriter(outputs, kernels))
            for row in range {
                body(row, reader[row], writer[row], inputs.width)
                writer.commit(row)
            }
        }
    }
}
