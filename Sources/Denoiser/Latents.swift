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

/// Frames, height and width of the box of latents that becomes one token.
struct PatchSize: Hashable {
    let frames: Int
    let height: Int
    let width: Int

    /// Latents in a patch of `channels` channels.
    func elementCount(channels: Int) -> Int { channels * frames * height * width }
}

extension Latents {
    /// The latents of each patch in the order (channel, frame, row, column): [tokens, elements], tokens by frame,
    /// row and column. What does not fill a patch at the far edges is left out, as a strided convolution does.
    func patches(_ patch: PatchSize) -> [Float] {
        let (tokenFrames, rows, columns) = (
            frames / patch.frames, height / patch.height, width / patch.width
        )
        var patches: [Float] = []
        patches.reserveCapacity(
            tokenFrames * rows * columns * patch.elementCount(channels: channels))
        for frame in 0..<tokenFrames {
            for row in 0..<rows {
                for column in 0..<columns {
                    appendPatch(
                        patch, frame: frame * patch.frames, row: row * patch.height,
                        column: column * patch.width, to: &patches)
                }
            }
        }
        return patches
    }

    private func appendPatch(
        _ patch: PatchSize, frame: Int, row: Int, column: Int, to patches: inout [Float]
    ) {
        for channel in 0..<channels {
            for t in frame..<frame + patch.frames {
                for y in row..<row + patch.height {
                    let start = ((channel * frames + t) * height + y) * width + column
                    patches += values[start..<start + patch.width]
                }
            }
        }
    }

    /// The inverse for the head's output: [tokens, patch * patch * channels] in the order (row, column,
    /// channel) inside a patch.
    init(
        patches: [Float], channels: Int, frames: Int, height: Int, width: Int, patch: Int
    ) {
        self.init(channels: channels, frames: frames, height: height, width: width)
        var source = 0
        for frame in 0..<frames {
            for row in stride(from: 0, to: height, by: patch) {
                for column in stride(from: 0, to: width, by: patch) {
                    for y in row..<row + patch {
                        for x in column..<column + patch {
                            for channel in 0..<channels {
                                values[((channel * frames + frame) * height + y) * width + x] =
                                    patches[source]
                                source += 1
                            }
                        }
                    }
                }
            }
        }
    }
}
