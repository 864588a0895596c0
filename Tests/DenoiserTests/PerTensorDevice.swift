import Compute
import ComputeCPU
import Tensors

/// The processor with the scheme that the released code has for 8 bits, to compare with: one scale for a whole weight, and
/// one for all of x. Numbers are rounded to the type and multiplied in float32; all else is the processor's.
final class PerTensorDevice: Device {
    let name = "per tensor"
    let activationType: DataType
    let matrixType: DataType
    private let base: CPUDevice
    /// The storage of weights whose products round x.
    private var narrowWeights: Set<ObjectIdentifier> = []

    /// A device with matrices of int8 or float8_e4m3.
    init(_ matrixType: DataType) throws {
        self.matrixType = matrixType
        base = try CPUDevice()
        activationType = base.activationType
    }

    func load(_ views: [TensorView], as dataType: DataType, for use: TensorUse) throws -> Tensor {
        guard dataType == matrixType else { return try base.load(views, as: dataType, for: use) }
        // Parts that are stacked here are weights of their own there.
        let weight = try base.tensor(
            views.flatMap { rounded($0.floats()) }, views.stackedShape)
        narrowWeights.insert(ObjectIdentifier(weight.storage))
        return weight
    }

    func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        var x = x
        if narrowWeights.contains(ObjectIdentifier(weight.storage)) {
            let whole = try base.cast(x, to: .float32)
            x = try base.tensor(rounded(base.floats(whole)), x.shape)
        }
        try base.linear(
            x, weight: weight, bias: bias, activation: activation, accumulating: accumulating,
            into: y)
    }

    /// Numbers rounded to the type by one scale, with which the largest becomes its largest number.
    private func rounded(_ values: [Float]) -> [Float] {
        let isInteger = matrixType == .int8
        let largest = isInteger ? 127 : Float8E4M3.greatestFiniteMagnitude
        let magnitude = values.reduce(0) { max($0, $1.magnitude) }
        guard magnitude > 0 else { return values }
        let scale = magnitude / largest
        return values.map {
            let number = $0 / scale
            return scale * (isInteger ? number.rounded() : Float(Float8E4M3(number)))
        }
    }
}

// MARK: - What the processor does as it is

extension PerTensorDevice {
    func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        try base.allocate(shape, dataType)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws {
        try base.write(bytes, to: tensor)
    }

    func clear(_ tensor: Tensor) throws { try base.clear(tensor) }

    func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        try base.read(tensor, into: bytes)
    }

    func synchronize() { base.synchronize() }

    func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        try base.attention(
            query: query, key: key, value: value, scale: scale, bias: bias, into: out)
    }

    func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws {
        try base.convolution(
            x, weight: weight, bias: bias, geometry: geometry, residual: residual, into: y)
    }

    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws {
        try base.layerNorm(
            x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon, into: y)
    }

    func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws {
        try base.rmsNorm(x, weight: weight, epsilon: epsilon, rotation: rotation, into: y)
    }

    func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        try base.rotate(x, by: table, into: y)
    }

    func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) throws {
        try base.channelNorm(x, weight: weight, activation: activation, into: y)
    }

    func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        try base.activate(x, activation, into: y)
    }

    func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws {
        try base.multiply(activating: x, activation, by: factor, into: y)
    }

    func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws {
        try base.add(x, addend, gate: gate, mask: mask, alpha: alpha, into: y)
    }

    func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        try base.affine(x, scale: scale, shift: shift, into: y)
    }

    func copy(_ x: Tensor, into y: Tensor) throws { try base.copy(x, into: y) }

    func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        try base.permute(x, axes: axes, into: y)
    }

    func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        try base.gather(table, rows: indices, into: y)
    }

    func upsample(_ x: Tensor, into y: Tensor) throws { try base.upsample(x, into: y) }

    func quantizePixels(_ x: Tensor, into y: Tensor) throws { try base.quantizePixels(x, into: y) }
}
