import CKernels
import COneDNN
import Compute
import Tensors

/// A product of a matrix and a weight as oneDNN sees it.
struct MatrixProduct {
    /// Rows of x and y, the axis that is summed over, columns of y.
    let rows: Int
    let inner: Int
    let columns: Int
    /// The type of x and the weight, and that of y.
    let type: DataType
    let outputType: DataType
    /// Elements from row to row of x and y; as many as in a row by default.
    var inputStride: Int?
    var outputStride: Int?
    var hasBias = false
    var activation = Activation.identity
    var accumulates = false

    /// The layout of a weight [n, k] whose rows lie behind one another, as oneDNN's [k, n].
    static func rowMajorWeight(_ shape: Shape, _ dataType: DataType) throws -> Layout {
        try Layout([shape[1], shape[0]], dataType, strides: [1, max(1, shape[1])])
    }

    /// The key of the primitive for a weight of this layout.
    func key(_ weight: Layout) -> PrimitiveKey {
        PrimitiveKey(
            kind: "linear",
            numbers: [
                rows, inner, columns, inputStride ?? inner, outputStride ?? columns,
                hasBias ? 1 : 0, accumulates ? 1 : 0,
            ],
            types: [type, outputType], packing: ObjectIdentifier(weight), activation: activation)
    }

    /// The layout of the weight with which this product is fastest.
    func preferredWeightLayout(on device: CPUDevice) throws -> Layout {
        let any = try Layout([inner, columns], type, strides: nil)
        return try describe(weight: any, on: device).layout(DNNL_ARG_WEIGHTS_0)
    }

    /// The product with a weight of this layout.
    func describe(weight: Layout, on device: CPUDevice) throws -> PrimitiveDescription {
        let x = try Layout([rows, inner], type, strides: [inputStride ?? inner, 1])
        let y = try Layout([rows, columns], outputType, strides: [outputStride ?? columns, 1])
        let bias = hasBias ? try Layout([1, columns], .float32, strides: [columns, 1]) : nil
        let attributes = try Attributes(activation: activation.oneDNN, sums: accumulates)
        return try PrimitiveDescription(
            "multiply \(type)[\(rows), \(inner)] with [\(columns), \(inner)]",
            on: device, attributes: attributes
        ) {
            onednn_matmul_create(
                $0, device.oneDNN.engine, x.descriptor, weight.descriptor, bias?.descriptor,
                y.descriptor, $1)
        }
    }

    /// The argument numbers of x, the weight, y and the bias.
    var operands: [Int32] {
        [DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DST_0] + (hasBias ? [DNNL_ARG_BIAS] : [])
    }
}

extension Activation {
    /// oneDNN's function, and its parameter; nil for none.
    var oneDNN: (kind: dnnl_alg_kind_t, alpha: Float)? {
        switch self {
        case .identity: nil
        case .silu: (dnnl_eltwise_swish, 1)
        case .gelu: (dnnl_eltwise_gelu_erf, 0)
        case .geluTanh: (dnnl_eltwise_gelu_tanh, 0)
        }
    }

    /// The kernels' number of the function.
    var kernel: kernel_activation {
        switch self {
        case .identity: kernel_identity
        case .silu: kernel_silu
        case .gelu: kernel_gelu
        case .geluTanh: kernel_gelu_tanh
        }
    }
}
