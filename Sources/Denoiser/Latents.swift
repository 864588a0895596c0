/// Latent frames on the host: [channels, frames, height, width], float32.
public struct Latents: Equatable, Sendable {
    /// Channels of a latent.
    public let channels: Int
    /// Latent frames.
    public let frames: Int
    /// Height, an eighth of the picture's.
    public let height: Int
    /// Width, an eighth of the picture's.
    public let width: Int
    /// The elements in row-major order.
    public var values: [Float]

    /// Latents of these values. Traps unless their number fits.
    public init(channels: Int, frames: Int, height: Int, width: Int, values: [Float]) {
        precondition(values.count == channels * frames * height * width)
        self.channels = channels
        self.frames = frames
        self.height = height
        self.width = width
        self.values = values
    }

    /// Latents of zeros.
    public init(channels: Int, frames: Int, height: Int, width: Int) {
        self.init(
            channels: channels, frames: frames, height: height, width: width,
            values: [Float](repeating: 0, count: channels * frames * height * width))
    }

    /// Some of the frames. Traps if the range is out of bounds.
    public func frames(_ range: Range<Int>) -> Latents {
        precondition(range.lowerBound >= 0 && range.upperBound <= frames)
        let frame = height * width
        var part: [Float] = []
        part.reserveCapacity(channels * range.count * frame)
        for channel in 0..<channels {
            let start = (channel * frames + range.lowerBound) * frame
            part += values[start..<start + range.count * frame]
        }
        return Latents(
            channels: channels, frames: range.count, height: height, width: width, values: part)
    }

    /// The last `count` frames, with zero frames in front if there are fewer.
    public func lastFrames(_ count: Int) -> Latents {
        guard frames < count else { return frames(frames - count..<frames) }
        var padded = Latents(channels: channels, frames: count, height: height, width: width)
        let frame = height * width
        for channel in 0..<channels {
            let source = channel * frames * frame
            let target = (channel * count + count - frames) * frame
            padded.values.replaceSubrange(
                target..<target + frames * frame, with: values[source..<source + frames * frame])
        }
        return padded
    }

    /// Whether every element is a number.
    public var isFinite: Bool { values.allSatisfy(\.isFinite) }
}
