import Compute
import Tensors

/// Layer normalisation with weight and bias [dim].
public struct LayerNorm {
    /// [dim]
    public let weight: Parameter
    /// [dim]
    public let bias: Parameter
    /// Added to the variance.
    public let epsilon: Float

    /// Weight and bias.
    public var parameters: [Parameter] { [weight, bias] }

    /// The layer at `scope`, whose names are "weight" and "bias".
    public init(_ scope: WeightScope, size: Int, epsilon: Float) {
        weight = scope.parameter("weight", [size])
        bias = scope.parameter("bias", [size])
        self.epsilon = epsilon
    }

    /// The normalised rows of x [rows, dim].
    public func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
        try device.layerNorm(x, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
    }

    /// The normalised rows of x [rows, dim], into y.
    public func callAsFunction(_ x: Tensor, into y: Tensor, on device: any Device) throws {
        try device.layerNorm(
            x, weight: weight.tensor, bias: bias.tensor, scale: nil, shift: nil,
            epsilon: epsilon, into: y)
    }
}

/// Root-mean-square normalisation with a weight [dim].
public struct RMSNorm {
    /// [dim]
    public let weight: Parameter
    /// Added to the mean square.
    public let epsilon: Float

    /// The layer at `scope`, whose name is "weight".
    public init(_ scope: WeightScope, size: Int, epsilon: Float) {
        weight = scope.parameter("weight", [size])
        self.epsilon = epsilon
    }

    /// The normalised rows of x [rows, dim].
    public func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
        try device.rmsNorm(x, weight: weight.tensor, epsilon: epsilon)
    }

    /// The normalised rows of x [rows, dim], with the pairs of each head turned by `table` [rows, head / 2, 2],
    /// into y: [rows, dim] or [rows, heads, head].
    public func rotating(
        _ x: Tensor, by table: Tensor?, into y: Tensor, on device: any Device
    ) throws {
        try device.rmsNorm(x, weight: weight.tensor, epsilon: epsilon, rotation: table, into: y)
    }
}
