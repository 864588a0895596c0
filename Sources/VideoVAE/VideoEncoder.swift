import Compute
import Layers
import Tensors

/// The causal encoder: frames to normalised latents, in memory that does not grow with the frames.
public final class VideoEncoder {
    /// The sizes.
    public let architecture: Architecture
    /// The weights, to be loaded before use.
    public let parameters: [Parameter]

    /// Pixels [t, H, W, 3] to features [t / 4, h, w, 2 * latent channels].
    package let chain: StreamChain
    /// Features to the means and log-variances of the latents' channels.
    private let moments: Linear

    /// The encoder of the checkpoint whose root is `root`.
    init(_ root: WeightScope, _ architecture: Architecture) {
        let width = 2 * architecture.latentChannels
        self.architecture = architecture
        chain = StreamChain(Self.modules(root.scope("encoder"), architecture))
        moments = Linear(pointwise: root.scope("conv1"), from: width, to: width, kernelAxes: 3)
        parameters = root.parameters
    }

    private static func modules(
        _ scope: WeightScope, _ architecture: Architecture
    ) -> [any StreamModule] {
        let channels = architecture.channels
        var modules: [any StreamModule] = [
            EncoderStem(
                scope.scope("conv1"), from: architecture.pixelChannels, to: channels[0])
        ]
        var level = channels[0]
        var index = 0
        func next() -> WeightScope {
            defer { index += 1 }
            return scope.scope("downsamples.\(index)")
        }
        for (depth, width) in channels.enumerated() {
            for _ in 0..<architecture.blocks {
                modules.append(ResidualBlock(next(), from: level, to: width))
                level = width
            }
            if depth < architecture.halvesFrames.count {
                modules.append(
                    Downsample(
                        next(), channels: width, inTime: architecture.halvesFrames[depth]))
            }
        }
        modules += middle(scope.scope("middle"), channels: level)
        modules.append(
            Head(scope.scope("head"), from: level, to: 2 * architecture.latentChannels))
        return modules
    }

    /// The normalised latents [channels, T, h, w] (float32) of `frameCount` frames, where T = 1 +
    /// (frameCount - 1) / 4; frames beyond 1 + 4k are ignored. `pixels` gives the frames of a range,
    /// [t, H, W, 3] in -1...1, and is asked for a few at a time, in order.
    public func encode(
        frameCount: Int, on device: any Device, monitor: Monitor = { _ in },
        pixels: (Range<Int>) throws -> Tensor
    ) throws -> Tensor {
        let latents = try latents(
            frameCount: frameCount, on: device, monitor: monitor, pixels: pixels)
        return try device.permuted(latents, axes: [3, 0, 1, 2])
    }

    /// What `encode` gives, as [T, h, w, channels].
    func latents(
        frameCount: Int, on device: any Device, monitor: Monitor,
        pixels: (Range<Int>) throws -> Tensor
    ) throws -> Tensor {
        precondition(frameCount > 0)
        let passes = 1 + (frameCount - 1) / architecture.framesPerLatent
        var steps = Steps("layers", total: passes * chain.modules.count)
        let stream = StreamState(isAtStart: true)
        var latents: Tensor?
        for pass in 0..<passes {
            let features = try chain(
                pixels(frames(ofLatent: pass)), stream: stream, on: device,
                step: { try steps.advance(monitor) })
            let all = try latents ?? device.allocate(latentShape(features, count: passes), .float32)
            try normalize(features, into: all.rows(pass..<pass + 1), on: device)
            latents = all
        }
        guard let latents else { preconditionFailure("there is at least one pass") }
        return latents
    }

    /// The frames that make one latent together with those before them.
    private func frames(ofLatent index: Int) -> Range<Int> {
        let count = architecture.framesPerLatent
        return index == 0 ? 0..<1 : 1 + (index - 1) * count..<1 + index * count
    }

    private func latentShape(_ features: Tensor, count: Int) -> Shape {
        [count, features.shape[1], features.shape[2], architecture.latentChannels]
    }

    /// (mean - statistics' mean) / statistics' deviation for features [1, h, w, 2 * channels], into
    /// [1, h, w, channels].
    private func normalize(
        _ features: Tensor, into latents: Tensor, on device: any Device
    ) throws {
        let both = try moments(pixels: features, on: device, as: .float32)
        let means = try device.allocate(latents.shape, .float32)
        try device.copy(both.columns(0..<architecture.latentChannels), into: means)
        let scale = LatentStatistics.deviation.map { 1 / $0 }
        let shift = zip(LatentStatistics.mean, scale).map { -$0 * $1 }
        try device.affine(
            means, scale: device.tensor(scale, [scale.count]),
            shift: device.tensor(shift, [shift.count]), into: latents)
    }
}

/// A residual block, attention and a residual block, in the middle of the encoder and the decoder.
func middle(_ scope: WeightScope, channels: Int) -> [any StreamModule] {
    [
        ResidualBlock(scope.scope("0"), from: channels, to: channels),
        AttentionBlock(scope.scope("1"), channels: channels),
        ResidualBlock(scope.scope("2"), from: channels, to: channels),
    ]
}

/// The first convolution of the encoder.
private struct EncoderStem: StreamModule {
    let path: String
    private let convolution: CausalConvolution

    init(_ scope: WeightScope, from input: Int, to output: Int) {
        path = scope.path("weight")
        convolution = CausalConvolution(
            scope, from: input, to: output, kernel: .init(3, 3, 3))
    }

    /// [t, H, W, 3] of any type to [t, H, W, width].
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        try convolution(x.shape, histories: stream.histories, on: device) {
            try device.copy(x, into: $0)
        }
    }
}

/// The last norm and convolution of the encoder and the decoder.
struct Head: StreamModule {
    let path: String
    private let convolution: NormalizedConvolution

    /// The head at `scope`.
    init(_ scope: WeightScope, from input: Int, to output: Int) {
        path = scope.path("2.weight")
        convolution = NormalizedConvolution(
            norm: scope.scope("0"), convolution: scope.scope("2"), from: input, to: output)
    }

    /// [t, h, w, in] to [t, h, w, out].
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        try convolution(x, stream: stream, on: device)
    }

    func earliestInput(forOutput frame: Int) -> Int {
        convolution.earliestInput(forOutput: frame)
    }
}
