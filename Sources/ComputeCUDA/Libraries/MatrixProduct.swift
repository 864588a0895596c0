import Compute
import Tensors

/// Everything about y = epilogue(alpha x w) + beta y that an algorithm depends on: sizes, strides, types and
/// alignment, not addresses. y is [rows, columns], x is [rows, inner], and w is [columns, inner], or [inner, columns]
/// if `isWeightTransposed` is false; all are row-major, for each of `batch` products.
package struct MatrixProduct: Hashable {
    var batch = 1
    var rows: Int
    var inner: Int
    var columns: Int
    /// Whether w is [columns, inner], as weights are stored.
    var isWeightTransposed = true
    /// The type of x and w.
    var type: DataType
    /// The type of y.
    var outputType: DataType
    /// x, w and y in memory.
    var x: Operand
    var weight: Operand
    var y: Operand
    /// Whether x has a scale for each row and w one for each column of y, float32.
    var hasScales = false
    /// Whether sums of 8-bit floats may be kept in the few digits in which tensor cores make them.
    var sumsFast = false
    /// Whether a bias [columns] of y's type is added.
    var hasBias = false
    /// Whether the tanh form of GELU follows.
    var hasGELU = false
    /// Whether y's old elements are added.
    var accumulates = false

    /// How a matrix lies in memory.
    package struct Operand: Hashable {
        /// Elements from one row to the next.
        package var rowStride: Int
        /// Elements from one product's matrix to the next's.
        package var batchStride = 0
        /// Bytes of which all addresses are multiples, at most 16.
        package var alignment: Int
    }
}

extension MatrixProduct.Operand {
    /// The widest access of a kernel in bytes. More is not asked for, so that what an algorithm is chosen by does
    /// not depend on where a range of rows happens to start.
    package static let widestAccess = 16

    /// A matrix that starts at an address.
    package init(
        address: UInt64, rowStride: Int, batchStride: Int = 0, dataType: DataType
    ) {
        self.rowStride = rowStride
        self.batchStride = batchStride
        let bits =
            address | UInt64(rowStride * dataType.size) | UInt64(batchStride * dataType.size)
            | UInt64(Self.widestAccess)
        alignment = 1 << bits.trailingZeroBitCount
    }
}

extension MatrixProduct {
    /// What a choice of algorithm is good for: sizes, types and what is added, whatever the strides.
    package var kind: String {
        let addends = [
            (hasScales, "scaled"), (sumsFast, "fast"), (hasBias, "bias"), (hasGELU, "gelu"),
            (accumulates, "onto"),
        ]
        let names = addends.filter(\.0).map { " \($0.1)" }.joined()
        let parts = batch == 1 ? "" : "\(batch) x "
        let order = isWeightTransposed ? "" : " flat"
        return "product \(parts)\(rows) \(inner) to \(columns)\(order) \(type) to \(outputType)"
            + names
    }

    /// The product of a linear layer: x [m, k], weight [n, k], y [m, n].
    init(_ x: Tensor, weight: Tensor, y: Tensor) {
        func operand(_ tensor: Tensor) -> Operand {
            // A matrix of one row has a stride nobody uses, which must not be shorter than the row.
            let stride = tensor.shape[0] == 1 ? tensor.shape[1] : tensor.strides[0]
            return Operand(
                address: tensor.address, rowStride: stride, dataType: tensor.dataType)
        }
        self.init(
            rows: x.shape[0], inner: x.shape[1], columns: weight.shape[0], type: x.dataType,
            outputType: y.dataType, x: operand(x), weight: operand(weight), y: operand(y))
    }
}
