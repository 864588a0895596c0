import Layers
import Tensors

/// The sizes of a VAE. Levels go from the pixels to the latents; each but the last ends by halving height
/// and width.
public struct Architecture: Hashable, Sendable {
    /// Channels at full resolution.
    public let width: Int
    /// Channels of each level in units of `width`.
    public let multipliers = [1, 2, 4, 4]
    /// Whether the step to the next level also halves the frames.
    public let halvesFrames = [false, true, true]
    /// Residual blocks of a level of the encoder; the decoder has one more.
    public let blocks = 2
    /// Channels of latents.
    public let latentChannels = LatentStatistics.mean.count
    /// Channels of pixels.
    public let pixelChannels = 3

    /// Frames that one latent stands for.
    public var framesPerLatent: Int { halvesFrames.reduce(1) { $1 ? 2 * $0 : $0 } }
    /// Rows, and columns, of pixels that one latent stands for.
    public var pixelsPerLatent: Int { 1 << (multipliers.count - 1) }

    /// Channels of each level.
    var channels: [Int] { multipliers.map { $0 * width } }

    /// The architecture with that many channels at full resolution.
    public init(width: Int) {
        self.width = width
    }

    /// The architecture of the checkpoint in hand. Throws unless it tells the width.
    init(of scope: WeightScope) throws(UnusableWeight) {
        self.init(
            width: try scope.rows(of: "encoder.conv1.weight", rank: 5, as: "encoder.conv1.bias"))
    }
}

/// The distribution of latents over the training data, channel by channel, by which the denoiser's latents
/// are normalised. These numbers are part of the published model but not of its checkpoint
/// (https://github.com/Wan-Video/Wan2.2, `wan/modules/vae2_1.py`, class `Wan2_1_VAE`).
public enum LatentStatistics {
    /// The mean of each channel.
    public static let mean: [Float] = [
        -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
    ]
    /// The standard deviation of each channel.
    public static let deviation: [Float] = [
        2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
        3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
    ]
}
