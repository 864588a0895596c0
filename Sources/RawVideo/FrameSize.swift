/// The extents of a picture.
public struct FrameSize: Hashable, Sendable, CustomStringConvertible {
    /// Rows.
    public let height: Int
    /// Columns.
    public let width: Int

    /// A size of these extents.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Pixels.
    public var area: Int { height * width }

    /// Width first, as the field writes it: "704x384".
    public var description: String { "\(width)x\(height)" }
}

extension FrameSize {
    /// What both extents of a generated video are multiples of: 8 pixels a latent, 2 latents a
    /// token, and the conditioning's coarsest grid.
    public static let divisor = 64

    /// The size of the video for a picture of this size: its aspect ratio, multiples of 64, and at
    /// most `maxArea` pixels; nil if none is, as for a panorama 2,000 times as wide as high.
    ///
    /// The picture's scale is lowered from the largest that the area allows, in 100 steps, until
    /// the extents, rounded up, fit. Source:
    /// semantics of `get_size_less_than_area`,
    /// https://github.com/Wan-Video/Wan2.2/blob/main/wan/speech2video.py
    public func video(maxArea: Int) -> FrameSize? {
        let (largest, smallest) = scales(maxArea: maxArea)
        let steps = 100
        for step in 0..<steps {
            let scale = largest - (largest - smallest) * Double(step) / Double(steps)
            let size = FrameSize(
                height: Self.roundedUp(Int(Double(height) * scale)),
                width: Self.roundedUp(Int(Double(width) * scale)))
            if size.area > 0, size.area <= maxArea { return size }
        }
        return fallback(maxArea: maxArea)
    }

    /// The scales to search between; the smaller solves for an area that rounding cannot exceed.
    private func scales(maxArea: Int) -> (largest: Double, smallest: Double) {
        guard area > maxArea else { return (1, 0.1) }
        let most = Double(Self.divisor - 1)
        let a = Double(area)
        let b = most * Double(height + width)
        let c = most * most - Double(maxArea)
        return (
            (Double(maxArea) / a).squareRoot(),
            (-b + (b * b - 2 * a * c).squareRoot()) / (2 * a)
        )
    }

    /// Rounded down instead: of the largest size with the same aspect, or of the picture itself.
    private func fallback(maxArea: Int) -> FrameSize? {
        let ratio = Double(height) / Double(width)
        let wide = Self.roundedDown(Int((Double(maxArea) / ratio).squareRoot()))
        let high = Self.roundedDown(Int((Double(maxArea) * ratio).squareRoot()))
        let fits = wide < width && high < height
        let size = FrameSize(
            height: fits ? high : Self.roundedDown(height),
            width: fits ? wide : Self.roundedDown(width))
        return size.area > 0 ? size : nil
    }

    private static func roundedUp(_ extent: Int) -> Int {
        (extent + divisor - 1) / divisor * divisor
    }

    private static func roundedDown(_ extent: Int) -> Int { extent / divisor * divisor }
}
