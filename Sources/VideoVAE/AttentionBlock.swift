import Compute
import Layers
import Tensors

/// x + proj(attention over the positions of each frame), with a single head as wide as the channels.
struct AttentionBlock: StreamModule {
    let path: String

    /// [channels]
    private let gamma: Parameter
    private let queryKeyValue: Linear
    private let projection: Linear
    private let channels: Int

    /// The block at `scope`.
    init(_ scope: WeightScope, channels: Int) {
        path = scope.path("to_qkv")
        gamma = scope.scope("norm").channelWeight(channels, pictureAxes: 2)
        queryKeyValue = Linear(
            pointwise: scope.scope("to_qkv"), from: channels, to: 3 * channels, kernelAxes: 2)
        projection = Linear(
            pointwise: scope.scope("proj"), from: channels, to: channels, kernelAxes: 2)
        self.channels = channels
    }

    /// [t, h, w, channels], in place.
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor {
        let frames = x.shape[0]
        let positions = x.shape[1] * x.shape[2]
        let normalized = try device.allocate(x.shape, device.activationType)
        try device.channelNorm(x, weight: gamma.tensor, activation: .identity, into: normalized)
        let joined = try queryKeyValue(pixels: normalized, on: device)
            .reshaped([frames, positions, 3 * channels])
        let parts = (0..<3).map {
            joined.columns($0 * channels..<($0 + 1) * channels).splittingColumns(into: 1)
        }
        let attended = try device.allocate(
            [frames, positions, 1, channels], device.activationType)
        try device.attention(
            query: parts[0], key: parts[1], value: parts[2],
            scale: 1 / Float(channels).squareRoot(), bias: nil, into: attended)
        try projection.accumulate(
            attended.reshaped([frames * positions, channels]),
            onto: x.reshaped([frames * positions, channels]), on: device)
        return x
    }
}
