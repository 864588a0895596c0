import Compute
import Tensors

/// A convolution over frames, height and width that sees no later frame than the one it computes, fed
/// with a stream piece by piece: it keeps the last input frames of one piece for the next.
///
/// Pictures are padded with zeros by half the kernel; in time nothing is padded but the stream's start.
public struct CausalConvolution {
    /// The checkpoint path, by which its history is kept.
    public let path: String
    /// [out, in, kernel frames, kernel height, kernel width]
    public let weight: Parameter
    /// [out]
    public let bias: Parameter
    /// Input frames kept for the next piece.
    public let historyFrames: Int

    private let geometry: ConvolutionGeometry

    /// The layer at `scope`, whose names are "weight" and "bias".
    public init(
        _ scope: WeightScope, from input: Int, to output: Int,
        kernel: ConvolutionGeometry.Extents, frameStride: Int = 1
    ) {
        path = scope.path("weight")
        weight = scope.parameter(
            "weight", [output, input, kernel.frames, kernel.height, kernel.width],
            for: .convolution(groups: 1))
        bias = scope.parameter("bias", [output])
        historyFrames = kernel.frames - frameStride
        let padding = ConvolutionGeometry.Extents(0, kernel.height / 2, kernel.width / 2)
        geometry = ConvolutionGeometry(
            stride: .init(frameStride, 1, 1), leading: padding, trailing: padding)
    }

    /// The outputs [t', h, w, out] for the stream's next input frames, of the given shape [t, h, w, in]:
    /// `fill` writes them where the convolution reads them, behind the history. They are added to
    /// `residual` in place where one is given.
    public func callAsFunction(
        _ shape: Shape, histories: FrameHistories, onto residual: Tensor? = nil,
        on device: any Device, fill: (Tensor) throws -> Void
    ) throws -> Tensor {
        let frames = historyFrames + shape[0]
        let picture = Array(shape.dimensions.dropFirst())
        let input = try device.allocate(Shape([frames] + picture), device.activationType)
        try histories.restore(path, into: input.rows(0..<historyFrames), on: device)
        try fill(input.rows(historyFrames..<frames))
        try histories.keep(input.rows(frames - historyFrames..<frames), of: path, on: device)
        let output =
            try residual
            ?? device.allocate(
                geometry.outputShape(input: input.shape, weight: weight.shape),
                device.activationType)
        try device.convolution(
            input, weight: weight.tensor, bias: bias.tensor, geometry: geometry,
            residual: residual, into: output)
        return output
    }

    /// The first input frame that an output frame depends on, both counted in the stream of outputs and
    /// inputs at their own rates, frame 0 to frame 0.
    public func earliestInput(forOutput frame: Int) -> Int {
        frame * geometry.stride.frames - (weight.shape[2] - 1)
    }
}

/// The last input frames of the causal convolutions of one stream.
public final class FrameHistories {
    private var kept: [String: Tensor] = [:]

    /// The histories of a stream of which nothing was seen.
    public init() {}

    /// Copies the frames kept for the convolution at `path`; zeros if it has seen none.
    func restore(_ path: String, into frames: Tensor, on device: any Device) throws {
        guard let history = kept[path] else { return try device.clear(frames) }
        precondition(history.shape == frames.shape, "the pictures of a stream keep their size")
        try device.copy(history, into: frames)
    }

    /// Keeps a copy of these frames for the convolution at `path`.
    public func keep(_ frames: Tensor, of path: String, on device: any Device) throws {
        let copy = try kept[path] ?? device.allocate(frames.shape, device.activationType)
        try device.copy(frames, into: copy)
        kept[path] = copy
    }
}
