import Tensors

/// How the frames of a tensor lie in it, by its shape and type.
struct FrameShape: Hashable {
    /// What an element is.
    enum Content: Hashable {
        /// Red, green and blue, 0...255.
        case bytes
        /// Red, green and blue, -1...1.
        case pixels
        /// Latent channels, of which only their variation is known.
        case latents
    }

    /// What the elements are.
    let content: Content
    /// Clips, each with its own channels; 1 but for [clips, channels, frames, h, w].
    let clips: Int
    /// Values of a pixel.
    let channels: Int
    /// Frames of a clip.
    let clipFrames: Int
    /// Rows.
    let height: Int
    /// Columns.
    let width: Int

    /// Frames in all.
    var frames: Int { clips * clipFrames }

    /// Most channels that are taken for those of latents.
    private static let channelLimit = 64

    /// Recognises uint8 [h, w, 3] and [frames, h, w, 3], and floats [channels, frames, h, w] and
    /// [clips, channels, frames, h, w]; nil for anything else, and where there is no pixel.
    init?(of tensor: TensorDescriptor) {
        let extents = tensor.shape.dimensions
        guard tensor.shape.elementCount > 0 else { return nil }
        if tensor.dataType == .uint8, extents.last == 3, (3...4).contains(extents.count) {
            content = .bytes
            (clips, channels) = (1, 3)
            clipFrames = extents.count == 4 ? extents[0] : 1
            (height, width) = (extents[extents.count - 3], extents[extents.count - 2])
        } else if tensor.dataType.isFloatingPoint, (4...5).contains(extents.count) {
            let axes = Array(extents.suffix(4))
            guard (3...Self.channelLimit).contains(axes[0]) else { return nil }
            content = axes[0] == 3 ? .pixels : .latents
            clips = extents.count == 5 ? extents[0] : 1
            (channels, clipFrames, height, width) = (axes[0], axes[1], axes[2], axes[3])
        } else {
            return nil
        }
    }
}
