import COneDNN
import Compute
import Tensors

extension CPUDevice {
    /// x is converted to the weight's type where it has another; `multiplyNarrow` is the product with 8-bit weights.
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        precondition(x.shape.rank == 2 && weight.shape.rank == 2)
        precondition(x.hasFloatRows && y.hasFloatRows)
        precondition(x.shape[1] == weight.shape[1] && y.shape == [x.shape[0], weight.shape[0]])
        precondition(bias.map { $0.shape.elementCount == weight.shape[0] } ?? true)
        guard y.shape.elementCount > 0 else { return }
        guard weight.scales == nil else {
            return try multiplyNarrow(
                x, weight: weight, bias: bias, activation: activation,
                accumulating: accumulating, into: y)
        }
        let x = x.dataType == weight.dataType ? x : try cast(x, to: weight.dataType)
        // What oneDNN does not fuse goes through a tensor of its own.
        let isFused =
            (weight.dataType == .bfloat16 && y.isNumeric || y.dataType == .float32)
            && !(accumulating && activation != .identity)
        guard isFused else {
            let sum = try allocate(y.shape, .float32)
            try multiply(x, weight, bias, activation, accumulating: false, into: sum)
            return try accumulating ? accumulate(sum, onto: y) : copy(sum, into: y)
        }
        try multiply(x, weight, bias, activation, accumulating: accumulating, into: y)
    }

    /// The product where oneDNN offers its types and what follows it.
    func multiply(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: Activation,
        accumulating: Bool, into y: Tensor
    ) throws {
        let product = MatrixProduct(
            rows: x.shape[0], inner: x.shape[1], columns: y.shape[1], type: x.dataType,
            outputType: y.dataType, inputStride: max(1, x.strides[0]),
            outputStride: y.strides[0], hasBias: bias != nil, activation: activation,
            accumulates: accumulating)
        let (layout, address) = try operand(weight)
        let primitive = try oneDNN.primitive(product.key(layout)) {
            try compile(product, layout)
        }
        var operands = [x.address, address, y.address]
        if let bias { operands.append(UnsafeMutableRawPointer(bias.floatAddress)) }
        try run(primitive, operands)
    }

    /// The layout and the address of a weight, packed or row-major.
    private func operand(_ weight: Tensor) throws -> (Layout, UnsafeMutableRawPointer) {
        if let packed = weight.storage as? PackedWeight {
            precondition(weight.offset == 0 && weight.isContiguous, "a packed weight has no parts")
            return (packed.layout, packed.address)
        }
        precondition(weight.isContiguous)
        let layout = try MatrixProduct.rowMajorWeight(weight.shape, weight.dataType)
        return (oneDNN.shared(layout), weight.address)
    }

    private func compile(_ product: MatrixProduct, _ weight: Layout) throws -> Primitive {
        try Primitive(
            product.describe(weight: weight, on: self), product.operands, engine: oneDNN.engine)
    }
}
