import Compute
import Layers
import Tensors

/// The causal video VAE of Wan 2.1: 4 frames of 8x8 pixels to one latent of 16 numbers, and back. A stream's
/// first frame is a latent by itself.
///
/// Paper: Wan: Open and Advanced Large-Scale Video Generative Models, section 4.1 (arXiv 2503.20314).
/// MODEL.md beside this file has dimensions, names and traps.
public final class VideoVAE {
    /// The sizes, which the checkpoint tells.
    public let architecture: Architecture
    /// Pixels to latents.
    public let encoder: VideoEncoder
    /// Latents to pixels.
    public let decoder: VideoDecoder

    /// A model that takes its weights from `source`; nothing is loaded yet. Throws `UnusableWeight` if the
    /// checkpoint does not tell the width.
    public init(_ source: any WeightSource) throws(UnusableWeight) {
        architecture = try Architecture(of: WeightScope(source))
        encoder = VideoEncoder(WeightScope(source), architecture)
        decoder = VideoDecoder(WeightScope(source), architecture)
    }
}
