import CKernels
import Compute
import Tensors

extension CPUDevice {
    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        try mapRows(x, into: y) { [kernels = kernels.pointee] _, x, y, width in
            kernels.activate(activation.kernel, x, y, width)
        }
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws {
        precondition(x.shape == factor.shape && factor.isNumeric)
        try mapRows(x, factor, into: y) { [kernels = kernels.pointee] _, x, factor, y, width in
            kernels.multiply(activation.kernel, x, factor, y, width)
        }
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws {
        precondition(addend.shape[-1] == x.shape[-1])
        guard x.shape.elementCount > 0 else { return }
        let rows = Rows(x).count
        let gates = gate.map { Groups($0, rows) }
        precondition(mask.map { $0.shape.elementCount == rows } ?? true)
        let factors = mask.map(vector)
        try mapRows(x, addend, into: y) { [kernels = kernels.pointee] row, x, addend, y, width in
            kernels.add(x, addend, gates?[row], alpha * (factors?[row] ?? 1), y, width)
        }
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        precondition(scale.shape.elementCount == x.shape[-1] && scale.shape == shift.shape)
        let (scales, shifts) = (vector(scale), vector(shift))
        try mapRows(x, into: y) { [kernels = kernels.pointee] _, x, y, width in
            kernels.affine(x, scales, shifts, y, width)
        }
    }

    /// Calls `body` with the number of each row of x, its elements, those of the row of `other` that stands for its
    /// group, and those to fill.
    private func mapRows(
        _ x: Tensor, _ other: Tensor, into y: Tensor,
        _ body: (
            Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int
        ) -> Void
    ) throws {
        precondition(x.isNumeric && other.isNumeric && y.isNumeric && x.shape == y.shape)
        guard x.shape.elementCount > 0 else { return }
        let (inputs, others, outputs) = (Rows(x), Rows(other), Rows(y))
        precondition(others.count > 0 && inputs.count % others.count == 0)
        let group = inputs.count / others.count
        workers.forRanges(of: inputs.count, minimum: grain(width: inputs.width)) { range in
            let (reader, otherReader) = (RowReader(inputs, kernels), RowReader(others, kernels))
            let writer = RowWriter(outputs, kernels)
            for row in range {
                body(row, reader[row], otherReader[row / group], writer[row], inputs.width)
                writer.commit(row)
            }
        }
    }
}
