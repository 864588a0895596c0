import Compute
import Tensors

/// A linear layer: x weightᵀ + bias. The weight is [out, in], as in checkpoints.
public struct Linear {
    /// [out, in]
    public let weight: Parameter
    /// [out]
    public let bias: Parameter?

    /// Weight and bias.
    public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    /// A layer of parameters taken otherwise.
    public init(weight: Parameter, bias: Parameter?) {
        self.weight = weight
        self.bias = bias
    }

    /// The layer at `scope`, whose names are "weight" and "bias"; the weight is of the activations' type
    /// unless said.
    public init(
        _ scope: WeightScope, from input: Int, to output: Int, bias: Bool = true,
        as type: ParameterType = .activations
    ) {
        weight = scope.parameter("weight", [output, input], for: .linear, as: type)
        self.bias = bias ? scope.parameter("bias", [output]) : nil
    }

    /// The convolution at `scope` with a kernel of one element along each of `kernelAxes` axes, which is a
    /// linear layer of the channels.
    public init(
        pointwise scope: WeightScope, from input: Int, to output: Int, kernelAxes: Int
    ) {
        weight = scope.parameter(
            "weight", Shape([output, input] + Array(repeating: 1, count: kernelAxes)), for: .linear,
            viewedAs: [output, input])
        bias = scope.parameter("bias", [output])
    }

    /// Several layers of the same input as one, whose outputs follow one another in the columns.
    public init(
        _ scope: WeightScope, stacking names: [String], from input: Int, to output: Int,
        bias: Bool = true, as type: ParameterType = .activations
    ) {
        weight = scope.parameter(
            stacking: names.map { "\($0).weight" }, [output, input], for: .linear, as: type)
        self.bias =
            bias
            ? scope.parameter(
                stacking: names.map { "\($0).bias" }, [output], for: .elements, as: .fixed(.float32)
            ) : nil
    }

    /// Memory for x [rows, in], in the form in which the product reads it.
    public func input(rows: Int, on device: any Device) throws -> Tensor {
        try device.allocateInput(rows: rows, of: weight.tensor)
    }

    /// activation(x weightᵀ + bias): [rows, in] to [rows, out], in the activation type unless said.
    public func callAsFunction(
        _ x: Tensor, on device: any Device, activation: Activation = .identity,
        as dataType: DataType? = nil
    ) throws -> Tensor {
        try device.linear(
            x, weight: weight.tensor, bias: bias?.tensor, activation: activation, as: dataType)
    }

    /// y = activation(x weightᵀ + bias): [rows, in] into [rows, out].
    public func callAsFunction(
        _ x: Tensor, activation: Activation = .identity, into y: Tensor, on device: any Device
    ) throws {
        try device.linear(
            x, weight: weight.tensor, bias: bias?.tensor, activation: activation,
            accumulating: false, into: y)
    }

    /// y += x weightᵀ + bias: [rows, in] onto [rows, out].
    public func accumulate(_ x: Tensor, onto y: Tensor, on device: any Device) throws {
        try device.linear(
            x, weight: weight.tensor, bias: bias?.tensor, activation: .identity,
            accumulating: true, into: y)
    }
}
