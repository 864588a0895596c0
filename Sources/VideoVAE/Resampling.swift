import Compute
import Layers
import Tensors

/// Halves height and width by a 3x3 convolution with stride 2 over pictures padded below and to the right;
/// with `time_conv`, then halves the frames but the stream's first.
struct Downsample: StreamModule {
    let path: String

    private let spatial: PictureConvolution
    private let temporal: CausalConvolution?

    /// The module at `scope`.
    init(_ scope: WeightScope, channels: Int, inTime: Bool) {
        path = scope.path("resample")
        spatial = PictureConvolution(
            scope.scope("resample.1"), from: channels, to: channels,
            geometry: ConvolutionGeometry(stride: .init(1, 2, 2), trailing: .init(0, 1, 1)))
        temporal =
            inTime
            ? CausalConvolution(
                scope.scope("time_conv"), from: channels, to: channels, kernel: .init(3, 1, 1),
                frameStride: 2) : nil
    }

    /// [t, h, w, channels] to [t, h / 2, w / 2, channels], or t / 2 with `time_conv`.
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        let y = try spatial(x, on: device)
        guard let temporal else { return y }
        if stream.isAtStart {
            precondition(y.shape[0] == 1, "a stream's first piece is one frame")
            try stream.histories.keep(y, of: temporal.path, on: device)
            return y
        }
        return try temporal(y.shape, histories: stream.histories, on: device) {
            try device.copy(y, into: $0)
        }
    }
}

/// Doubles height and width by repetition, then halves the channels by a 3x3 convolution; with `time_conv`,
/// doubles the frames before that, but the stream's first.
struct Upsample: StreamModule {
    let path: String
    let framesPerInput: Int

    private let spatial: PictureConvolution
    private let temporal: CausalConvolution?

    /// The module at `scope`.
    init(_ scope: WeightScope, channels: Int, inTime: Bool) {
        path = scope.path("resample")
        framesPerInput = inTime ? 2 : 1
        spatial = PictureConvolution(
            scope.scope("resample.1"), from: channels, to: channels / 2,
            geometry: ConvolutionGeometry(leading: .init(0, 1, 1), trailing: .init(0, 1, 1)))
        temporal =
            inTime
            ? CausalConvolution(
                scope.scope("time_conv"), from: channels, to: 2 * channels,
                kernel: .init(3, 1, 1)) : nil
    }

    /// [t, h, w, channels] to [t, 2h, 2w, channels / 2], or 2t with `time_conv`. The stream's first frame is
    /// not in the history of `time_conv` either.
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        guard let temporal, !stream.isAtStart else {
            precondition(temporal == nil || x.shape[0] == 1, "a stream's first piece is one frame")
            return try spatial(doubled(x, frames: 1, on: device), on: device)
        }
        let halves = try temporal(x.shape, histories: stream.histories, on: device) {
            try device.copy(x, into: $0)
        }
        return try spatial(doubled(halves, frames: 2, on: device), on: device)
    }

    /// [t, h, w, c] to [frames * t, 2h, 2w, c / frames].
    private func doubled(_ x: Tensor, frames: Int, on device: any Device) throws -> Tensor {
        let y = try device.allocate(
            [frames * x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3] / frames],
            device.activationType)
        try device.upsample(x, into: y)
        return y
    }

    func earliestInput(forOutput frame: Int) -> Int {
        guard let temporal else { return frame }
        return temporal.earliestInput(forOutput: floorQuotient(frame, framesPerInput))
    }
}

/// A 3x3 convolution of each picture by itself.
private struct PictureConvolution {
    /// [out, in, 1, 3, 3]
    let weight: Parameter
    /// [out]
    let bias: Parameter
    let geometry: ConvolutionGeometry

    /// The layer at `scope`, whose names are "weight" and "bias".
    init(
        _ scope: WeightScope, from input: Int, to output: Int, geometry: ConvolutionGeometry
    ) {
        weight = scope.parameter(
            "weight", [output, input, 3, 3], for: .convolution(groups: 1),
            viewedAs: [output, input, 1, 3, 3])
        bias = scope.parameter("bias", [output])
        self.geometry = geometry
    }

    /// [t, h, w, in] to [t, h', w', out].
    func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
        let y = try device.allocate(
            geometry.outputShape(input: x.shape, weight: weight.shape), device.activationType)
        try device.convolution(
            x, weight: weight.tensor, bias: bias.tensor, geometry: geometry, residual: nil,
            into: y)
        return y
    }
}
