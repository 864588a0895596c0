/// How a picture is brought to the video's size: resized so that its shorter side fits the video's
/// shorter side, padded where it is too small, cropped at its centre.
public struct Framing: Hashable, Sendable {
    /// Of the picture.
    public let source: FrameSize
    /// After resizing.
    public let resized: FrameSize
    /// Of the video.
    public let target: FrameSize
    /// Rows and columns put before the resized picture; negative: cut off.
    public let top: Int
    public let left: Int

    /// The framing of a picture for a video; traps unless all extents are positive.
    ///
    /// Source: semantics of `Resize` and `center_crop` in
    /// https://github.com/pytorch/vision/blob/v0.21.0/torchvision/transforms/functional.py
    public init(of source: FrameSize, to target: FrameSize) {
        precondition(min(source.height, source.width, target.height, target.width) > 0)
        self.source = source
        self.target = target
        let shorter = min(target.height, target.width)
        let longer = shorter * max(source.height, source.width)
        let resizedLonger = longer / min(source.height, source.width)
        resized =
            source.height <= source.width
            ? FrameSize(height: shorter, width: resizedLonger)
            : FrameSize(height: resizedLonger, width: shorter)
        top = Self.offset(of: resized.height, in: target.height)
        left = Self.offset(of: resized.width, in: target.width)
    }

    /// Padding in front, or minus the centred crop's offset, halves to even.
    private static func offset(of extent: Int, in target: Int) -> Int {
        extent < target
            ? (target - extent) / 2
            : -Int((Double(extent - target) / 2).rounded(.toNearestOrEven))
    }
}

extension Raster where Element: Resampled & Numeric {
    /// The picture at the video's size; padding is 0, black in 8 bits and middle grey in -1...1.
    public func framed(_ framing: Framing) -> Raster {
        precondition(framing.source == FrameSize(height: height, width: width))
        return resized(height: framing.resized.height, width: framing.resized.width)
            .placed(top: framing.top, left: framing.left, in: framing.target)
    }

    /// The picture for a video of this size; traps unless all extents are positive.
    public func framed(to target: FrameSize) -> Raster {
        framed(Framing(of: FrameSize(height: height, width: width), to: target))
    }

    /// The part of the picture, moved down and right, that covers a canvas of zeros.
    private func placed(top: Int, left: Int, in size: FrameSize) -> Raster {
        let rows = max(0, top)..<min(size.height, top + height)
        let columns = max(0, left)..<min(size.width, left + width)
        let channels = Self.channels
        return Raster(height: size.height, width: size.width) { output in
            output.initialize(repeating: 0)
            for y in rows {
                let from = ((y - top) * width + columns.lowerBound - left) * channels
                let to = (y * size.width + columns.lowerBound) * channels
                for index in 0..<columns.count * channels {
                    output[to + index] = values[from + index]
                }
            }
        }
    }
}
