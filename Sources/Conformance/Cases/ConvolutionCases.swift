import Compute
import Tensors

extension OperationCase {
    private typealias Extents = ConvolutionGeometry.Extents

    /// Convolutions of the video autoencoder, the patch embeddings and the audio encoder, and odd ones.
    static let convolutionCases: [OperationCase] = [
        convolution("causal", [4, 9, 11, 32], [48, 32, 3, 3, 3], padded),
        convolution("causal-residual", [5, 8, 10, 64], [64, 64, 3, 3, 3], padded, residual: true),
        convolution("causal-one-frame", [3, 8, 12, 96], [96, 96, 3, 3, 3], padded),
        convolution("causal-96", [3, 7, 10, 96], [96, 96, 3, 3, 3], padded, residual: true),
        convolution("causal-96-192", [3, 7, 10, 96], [192, 96, 3, 3, 3], padded),
        convolution("causal-192", [3, 6, 9, 192], [192, 192, 3, 3, 3], padded),
        convolution(
            "causal-192-residual", [3, 6, 9, 192], [192, 192, 3, 3, 3], padded, residual: true),
        convolution("causal-192-384", [3, 5, 6, 192], [384, 192, 3, 3, 3], padded),
        convolution("causal-384", [3, 5, 6, 384], [384, 384, 3, 3, 3], padded),
        convolution(
            "causal-384-residual", [3, 5, 6, 384], [384, 384, 3, 3, 3], padded, residual: true),
        convolution("causal-tiny", [4, 6, 5, 6], [12, 6, 3, 3, 3], padded, residual: true),
        convolution("causal-narrow", [3, 8, 16, 24], [24, 24, 3, 3, 3], padded),
        convolution("to-pixels", [4, 9, 8, 96], [3, 96, 3, 3, 3], padded),
        convolution("from-pixels", [3, 9, 8, 3], [96, 3, 3, 3, 3], padded),
        convolution("picture", [3, 12, 10, 48], [24, 48, 1, 3, 3], padded),
        convolution("one-row", [4, 1, 7, 16], [16, 16, 3, 3, 3], padded),
        convolution("pointwise", [2, 7, 9, 40], [56, 40, 1, 1, 1], .init(), residual: true),
        convolution("no-bias", [2, 7, 9, 40], [56, 40, 1, 1, 1], .init(), bias: false),
        convolution(
            "downsample", [2, 12, 10, 32], [32, 32, 1, 3, 3],
            .init(stride: Extents(1, 2, 2), trailing: Extents(0, 1, 1))),
        convolution("frames", [6, 5, 6, 32], [64, 32, 3, 1, 1], .init()),
        convolution(
            "frames-stride", [5, 4, 6, 24], [24, 24, 3, 1, 1], .init(stride: Extents(2, 1, 1))),
        convolution(
            "frames-padded", [5, 4, 6, 24], [24, 24, 3, 1, 1], .init(leading: Extents(2, 0, 0))),
        convolution(
            "patch", [3, 8, 12, 16], [64, 16, 1, 2, 2], .init(stride: Extents(1, 2, 2))),
        convolution(
            "patch-frames", [8, 16, 18, 16], [64, 16, 4, 8, 8], .init(stride: Extents(4, 8, 8))),
        convolution(
            "wave", [1, 1, 400, 1], [32, 1, 1, 1, 10], .init(stride: Extents(1, 1, 5))),
        convolution(
            "wave-next", [1, 1, 79, 32], [32, 32, 1, 1, 3], .init(stride: Extents(1, 1, 2)),
            bias: false),
        convolution(
            "line", [30, 1, 1, 32], [48, 32, 3, 1, 1], .init(leading: Extents(2, 0, 0))),
        convolution(
            "groups", [1, 1, 50, 64], [64, 4, 1, 1, 16],
            .init(leading: Extents(0, 0, 8), trailing: Extents(0, 0, 8), groups: 16)),
        convolution(
            "groups-odd", [2, 6, 5, 12], [18, 4, 1, 3, 3],
            .init(leading: Extents(0, 1, 1), trailing: Extents(0, 1, 1), groups: 3)),
        convolution(
            "uneven-padding", [3, 6, 7, 16], [16, 16, 3, 3, 3],
            .init(leading: Extents(2, 0, 1), trailing: Extents(0, 2, 0))),
        convolution("mixed-type", [4, 6, 5, 16], [24, 16, 3, 3, 3], padded, output: .float32),
        convolutionInPlace,
    ]

    /// Zeros around height and width, as a 3 x 3 kernel needs.
    private static let padded = ConvolutionGeometry(
        leading: Extents(0, 1, 1), trailing: Extents(0, 1, 1))

    private static func convolution(
        _ name: String, _ input: Shape, _ kernel: Shape, _ geometry: ConvolutionGeometry,
        bias: Bool = true, residual: Bool = false, output: DataType? = nil
    ) -> OperationCase {
        OperationCase("convolution/\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random(input)
            let weight = try inputs.weight(kernel, for: .convolution(groups: geometry.groups))
            let bias = bias ? try inputs.parameters([kernel[0]]) : nil
            let shape = geometry.outputShape(input: input, weight: kernel)
            let residual = residual ? try inputs.random(shape) : nil
            let y = try inputs.output(shape, output)
            return Call(output: y) {
                try device.convolution(
                    x, weight: weight, bias: bias, geometry: geometry, residual: residual,
                    into: y)
            }
        }
    }

    /// Added to the frames that are already in the output, which is part of a longer buffer.
    private static let convolutionInPlace = OperationCase("convolution/in-place") { inputs in
        let device = inputs.device
        let x = try inputs.random([6, 5, 7, 32]).rows(1..<6)
        let weight = try inputs.weight([32, 32, 3, 3, 3], for: .convolution(groups: 1))
        let buffer = try inputs.random([5, 5, 7, 32])
        let y = buffer.rows(2..<5)
        return Call(output: buffer) {
            try device.convolution(
                x, weight: weight, bias: nil, geometry: padded, residual: y, into: y)
        }
    }
}
