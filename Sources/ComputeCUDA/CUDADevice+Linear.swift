import Compute
import Tensors

extension CUDADevice {
    /// x is converted to the weight's type where it has another, and rounded where that has scales. Bias, the tanh form of GELU and the sum with y are part of
    /// the product where cuBLASLt offers that; other activations follow as a kernel.
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        precondition(x.shape.rank == 2 && weight.shape.rank == 2 && weight.isContiguous)
        precondition(x.shape[1] == weight.shape[1] && y.shape == [x.shape[0], weight.shape[0]])
        precondition(bias.map { $0.shape.elementCount == weight.shape[0] } ?? true)
        guard y.shape.elementCount > 0 else { return }
        guard [x, weight, y].allSatisfy({ $0.scales == nil }) else {
            return try linearScaled(
                x, weight, bias, activation, accumulating: accumulating, into: y)
        }
        guard [x, weight, y].allSatisfy({ $0.isFloating }) else {
            throw unsupported("products of \(x.dataType) and \(weight.dataType)")
        }
        let x = x.dataType == weight.dataType ? x : try cast(x, to: weight.dataType)
        // What cuBLASLt does not fuse goes through a tensor of its own.
        let isDirect =
            (weight.dataType == .bfloat16 || y.dataType == .float32)
            && !(accumulating && activation != .identity)
            && (y.isContiguous || activation == .identity)
        guard isDirect else {
            let sum = try allocate(y.shape, .float32)
            try multiply(x, weight, bias, activation, accumulating: false, into: sum)
            return try accumulating ? accumulate(sum, onto: y) : copy(sum, into: y)
        }
        try multiply(x, weight, bias, activation, accumulating: accumulating, into: y)
    }

    /// The product and what cuBLASLt adds to it, then the activation unless that was part of it.
    private func multiply(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: Activation,
        accumulating: Bool, into y: Tensor
    ) throws {
        let products = try libraries.matrixProducts(for: self)
        var product = MatrixProduct(x, weight: weight, y: y)
        let bias = try bias.map { try libraries.bias($0, as: y.dataType, on: self) }
        product.hasBias = bias != nil
        product.accumulates = accumulating
        // Its tanh is the card's approximation, which is finer than bfloat16 but not than float32.
        product.hasGELU = activation == .geluTanh && y.dataType == .bfloat16
        let isDone = try products.run(
            product, x: x, weight: weight, bias: bias, y: y, on: self)
        guard isDone else {
            return try multiplyAsFloats(x, weight, bias, activation, accumulating, into: y)
        }
        if activation != .identity && !product.hasGELU { try activate(y, activation, into: y) }
    }

    /// The same in float32 throughout, for matrices whose rows begin where cuBLASLt's bfloat16 kernels cannot read.
    private func multiplyAsFloats(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: Activation,
        _ accumulating: Bool, into y: Tensor
    ) throws {
        guard x.dataType != .float32 || y.dataType != .float32 else {
            throw unsupported("products of \(x) and \(weight) by cuBLASLt")
        }
        let product = try allocate(y.shape, .float32)
        try multiply(
            cast(x, to: .float32), cast(weight, to: .float32),
            bias.map { try cast($0, to: .float32) }, activation, accumulating: false,
            into: product)
        try accumulating ? accumulate(product, onto: y) : copy(product, into: y)
    }
}

extension Tensor {
    /// Whether the elements are of a type that is computed with.
    var isFloating: Bool { dataType == .float32 || dataType == .bfloat16 }
}
