import COneDNN
import Compute
import Tensors

extension CPUDevice {
    /// x is converted to the weight's type where it has another. Kernels of 3 x 3 go by Winograd's minimal filtering,
    /// which in bfloat16 rounds transformed inputs and kernels: errors of 3e-3 where direct sums have 2e-3.
    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws {
        precondition(x.shape.rank == 4 && weight.shape.rank == 5 && x.isNumeric && y.isNumeric)
        precondition(y.shape == geometry.outputShape(input: x.shape, weight: weight.shape))
        precondition(x.shape[3] == weight.shape[1] * geometry.groups)
        precondition(residual.map { $0.shape == y.shape } ?? true)
        guard let stored = weight.storage as? ConvolutionWeight, stored.groups == geometry.groups
        else { preconditionFailure("\(weight) was not loaded for this convolution") }
        guard y.shape.elementCount > 0 else { return }
        let x = try contiguous(x, weight.dataType)
        let usesWinograd = usesWinograd(x, weight, geometry)
        // oneDNN stores float32 products as float32 alone.
        let isDirect =
            y.isContiguous
            && (usesWinograd || y.dataType == weight.dataType || y.dataType == .float32)
        let output = isDirect ? y : try allocate(y.shape, .float32)
        if usesWinograd {
            try convolve(
                x, stored.transformed(on: self), taps: weight.shape[2], bias: bias,
                geometry: geometry, residual: residual.map { try contiguous($0, output.dataType) },
                into: output)
        } else {
            try convolveDirectly(
                x, weight, stored, bias: bias, geometry: geometry, residual: residual,
                into: output)
        }
        if !isDirect { try copy(output, into: y) }
    }

    /// The convolution by oneDNN, summed into the residual's copy in y.
    private func convolveDirectly(
        _ x: Tensor, _ weight: Tensor, _ stored: ConvolutionWeight, bias: Tensor?,
        geometry: ConvolutionGeometry, residual: Tensor?, into y: Tensor
    ) throws {
        if let residual, !residual.isSame(as: y) { try copy(residual, into: y) }
        let convolution = Convolution(
            x, weight, y, geometry, hasBias: bias != nil, accumulates: residual != nil)
        let packed = try stored.packed(for: convolution, on: self)
        let primitive = try oneDNN.primitive(convolution.key(packed.layout)) {
            try Primitive(
                convolution.describe(weight: packed.layout, on: self), convolution.operands,
                engine: oneDNN.engine)
        }
        var operands = [x.address, packed.address, y.address]
        if let bias { operands.append(UnsafeMutableRawPointer(bias.floatAddress)) }
        try run(primitive, operands)
    }

    /// x itself, or its elements without gaps and in another type.
    private func contiguous(_ x: Tensor, _ dataType: DataType) throws -> Tensor {
        if x.isContiguous && x.dataType == dataType { return x }
        return try cast(x, to: dataType)
    }
}

extension Tensor {
    /// Whether both are the same elements.
    fileprivate func isSame(as other: Tensor) -> Bool {
        storage === other.storage && offset == other.offset && shape == other.shape
            && strides == other.strides && dataType == other.dataType
    }
}
