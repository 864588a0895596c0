import Compute
import Layers
import Tensors

/// shortcut(x) + residual.6(silu(residual.3(residual.2(silu(residual.0(x)))))), where 0 and 3 are norms over
/// the channels, 2 and 6 causal 3x3x3 convolutions, and the shortcut is pointwise or absent.
struct ResidualBlock: StreamModule {
    let path: String

    private let first: NormalizedConvolution
    private let second: NormalizedConvolution
    private let shortcut: Linear?

    /// The block at `scope` for that many channels in and out.
    init(_ scope: WeightScope, from input: Int, to output: Int) {
        path = scope.path("residual")
        let residual = scope.scope("residual")
        first = NormalizedConvolution(
            norm: residual.scope("0"), convolution: residual.scope("2"), from: input, to: output)
        second = NormalizedConvolution(
            norm: residual.scope("3"), convolution: residual.scope("6"), from: output, to: output)
        shortcut =
            input == output
            ? nil
            : Linear(pointwise: scope.scope("shortcut"), from: input, to: output, kernelAxes: 3)
    }

    /// [t, h, w, in] to [t, h, w, out], in place if they are as many.
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        let hidden = try first(x, stream: stream, on: device)
        let identity = try shortcut?(pixels: x, on: device) ?? x
        return try second(hidden, onto: identity, stream: stream, on: device)
    }

    func earliestInput(forOutput frame: Int) -> Int {
        first.earliestInput(forOutput: second.earliestInput(forOutput: frame))
    }
}

/// convolution(silu(norm(x))): the norm writes where the convolution reads.
struct NormalizedConvolution {
    /// [channels]
    private let gamma: Parameter
    private let convolution: CausalConvolution

    /// A norm over the channels, named "gamma", and a causal 3x3x3 convolution.
    init(norm: WeightScope, convolution scope: WeightScope, from input: Int, to output: Int) {
        gamma = norm.channelWeight(input, pictureAxes: 3)
        convolution = CausalConvolution(
            scope, from: input, to: output, kernel: .init(3, 3, 3))
    }

    /// [t, h, w, in] to [t, h, w, out], added to `residual` in place where one is given.
    func callAsFunction(
        _ x: Tensor, onto residual: Tensor? = nil, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        try convolution(x.shape, histories: stream.histories, onto: residual, on: device) {
            try device.channelNorm(x, weight: gamma.tensor, activation: .silu, into: $0)
        }
    }

    func earliestInput(forOutput frame: Int) -> Int {
        convolution.earliestInput(forOutput: frame)
    }
}

extension WeightScope {
    /// The weight "gamma" of a norm over the channels: [channels], stored with axes of extent 1 behind.
    func channelWeight(_ channels: Int, pictureAxes: Int) -> Parameter {
        parameter(
            "gamma", Shape([channels] + Array(repeating: 1, count: pictureAxes)), for: .elements,
            as: .fixed(.float32), viewedAs: [channels])
    }
}

extension Linear {
    /// The layer applied to the channels of every pixel: [t, h, w, in] to [t, h, w, out].
    func callAsFunction(
        pixels x: Tensor, on device: any Device, as dataType: DataType? = nil
    ) throws -> Tensor {
        let pixels = x.shape.elementCount / x.shape[-1]
        let y = try self(x.reshaped([pixels, x.shape[-1]]), on: device, as: dataType)
        return y.reshaped(Shape(x.shape.dimensions.dropLast() + [y.shape[1]]))
    }
}
