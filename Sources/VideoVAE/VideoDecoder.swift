import Compute
import Layers
import Tensors

/// The causal decoder: normalised latents to frames. `StreamingDecoder` runs it.
public final class VideoDecoder {
    /// The sizes.
    public let architecture: Architecture
    /// The weights, to be loaded before use.
    public let parameters: [Parameter]
    /// Latents before the first wanted one that the decoder must see, so that its frames are those of a
    /// decoder that saw all of the stream: the receptive field in time.
    public var warmUpLatents: Int { chain.warmUp[0] }

    /// Latents [t, h, w, latent channels], not normalised, to pixels [4t, H, W, 3], not clamped.
    package let chain: StreamChain

    /// The decoder of the checkpoint whose root is `root`.
    init(_ root: WeightScope, _ architecture: Architecture) {
        self.architecture = architecture
        chain = StreamChain(Self.modules(root, architecture))
        parameters = root.parameters
    }

    private static func modules(
        _ root: WeightScope, _ architecture: Architecture
    ) -> [any StreamModule] {
        let scope = root.scope("decoder")
        let channels = architecture.channels
        var level = channels[channels.count - 1]
        var modules: [any StreamModule] = [
            DecoderStem(root, latentChannels: architecture.latentChannels, to: level)
        ]
        modules += middle(scope.scope("middle"), channels: level)
        var index = 0
        func next() -> WeightScope {
            defer { index += 1 }
            return scope.scope("upsamples.\(index)")
        }
        for (depth, width) in channels.enumerated().reversed() {
            for _ in 0..<architecture.blocks + 1 {
                modules.append(ResidualBlock(next(), from: level, to: width))
                level = width
            }
            if depth > 0 {
                modules.append(
                    Upsample(
                        next(), channels: width, inTime: architecture.halvesFrames[depth - 1]))
                level = width / 2
            }
        }
        modules.append(Head(scope.scope("head"), from: level, to: architecture.pixelChannels))
        return modules
    }

    /// Normalised latents [channels, t, h, w] as the chain takes them: [t, h, w, channels], times the
    /// statistics' deviation, plus their mean.
    package func denormalized(_ latents: Tensor, on device: any Device) throws -> Tensor {
        let normalized = try device.permuted(latents, axes: [1, 2, 3, 0])
        let result = try device.allocate(normalized.shape, device.activationType)
        let count = architecture.latentChannels
        try device.affine(
            normalized, scale: device.tensor(LatentStatistics.deviation, [count]),
            shift: device.tensor(LatentStatistics.mean, [count]), into: result)
        return result
    }
}

/// The pointwise `conv2` and the first causal convolution of the decoder.
private struct DecoderStem: StreamModule {
    let path: String
    private let mixing: Linear
    private let convolution: CausalConvolution

    init(_ root: WeightScope, latentChannels channels: Int, to output: Int) {
        let scope = root.scope("decoder").scope("conv1")
        path = scope.path("weight")
        mixing = Linear(
            pointwise: root.scope("conv2"), from: channels, to: channels, kernelAxes: 3)
        convolution = CausalConvolution(
            scope, from: channels, to: output, kernel: .init(3, 3, 3))
    }

    /// [t, h, w, latent channels] to [t, h, w, out].
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        try convolution(x.shape, histories: stream.histories, on: device) {
            try device.copy(mixing(pixels: x, on: device), into: $0)
        }
    }

    func earliestInput(forOutput frame: Int) -> Int {
        convolution.earliestInput(forOutput: frame)
    }
}
