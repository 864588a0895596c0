import Compute
import Layers
import Tensors

/// A convolution over time with three taps that sees no later step; in front of the first step it
/// sees that step again. Float32.
struct CausalConvolution1D {
    let weight: Parameter
    let bias: Parameter
    let stride: Int
    private static let taps = 3

    /// The layer at `scope`, with the weight [output, input, taps].
    init(_ scope: WeightScope, from input: Int, to output: Int, stride: Int) {
        weight = scope.parameter(
            "weight", [output, input, Self.taps], for: .convolution(groups: 1),
            as: .fixed(.float32),
            viewedAs: [output, input, Self.taps, 1, 1])
        bias = scope.parameter("bias", [output])
        self.stride = stride
    }

    /// [steps, input] to [(steps - 1) / stride + 1, output].
    func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
        let (steps, channels) = (x.shape[0], x.shape[1])
        let history = Self.taps - 1
        let padded = try device.allocate([steps + history, channels], .float32)
        for step in 0..<history {
            try device.copy(x.rows(0..<1), into: padded.rows(step..<step + 1))
        }
        try device.copy(x, into: padded.rows(history..<history + steps))
        let input = padded.reshaped([steps + history, 1, 1, channels])
        let geometry = ConvolutionGeometry(stride: .init(stride, 1, 1))
        let y = try device.allocate(
            geometry.outputShape(input: input.shape, weight: weight.shape), .float32)
        try device.convolution(
            input, weight: weight.tensor, bias: bias.tensor, geometry: geometry, residual: nil,
            into: y)
        return y.reshaped([y.shape[0], y.shape[3]])
    }
}
