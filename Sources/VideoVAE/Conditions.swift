import Compute
import Tensors

/// What the denoiser is conditioned on, made of pictures.
extension VideoEncoder {
    /// The latents of a still picture [1, H, W, 3] in -1...1 shown for `frameCount` frames: those of
    /// the first frame, [channels, 1, h, w], which are the reference, and those of all, [channels, T,
    /// h, w], which are the motion that precedes the video. The encoder being causal, the first need
    /// no run of their own.
    public func encodeStill(
        _ picture: Tensor, frameCount: Int, on device: any Device,
        monitor: Monitor = { _ in }
    ) throws -> (reference: Tensor, motion: Tensor) {
        precondition(picture.shape.rank == 4 && picture.shape[0] == 1)
        let count = architecture.framesPerLatent
        let repeated = try device.allocate(
            Shape([count] + picture.shape.dimensions.dropFirst()), picture.dataType)
        for index in 0..<count {
            try device.copy(picture, into: repeated.rows(index..<index + 1))
        }
        let all = try latents(frameCount: frameCount, on: device, monitor: monitor) {
            repeated.rows(0..<$0.count)
        }
        return (
            try device.permuted(all.rows(0..<1), axes: [3, 0, 1, 2]),
            try device.permuted(all, axes: [3, 0, 1, 2])
        )
    }

    /// The latents [channels, frameCount / 4, h, w] of one clip of a pose video. The clip is encoded
    /// behind a copy of its first frame, whose latent is dropped. `pixels` gives the clip's frames of
    /// a range, [t, H, W, 3] in -1...1, and is asked for a few at a time, for the first twice.
    public func encodePose(
        frameCount: Int, on device: any Device, monitor: Monitor = { _ in },
        pixels: (Range<Int>) throws -> Tensor
    ) throws -> Tensor {
        let all = try latents(frameCount: frameCount + 1, on: device, monitor: monitor) { range in
            try pixels(range.lowerBound == 0 ? range : range.lowerBound - 1..<range.upperBound - 1)
        }
        return try device.permuted(all.rows(1..<all.shape[0]), axes: [3, 0, 1, 2])
    }
}
