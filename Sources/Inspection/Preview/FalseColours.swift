/// Colours for what has none, and those of float pixels. What is not finite is magenta.
///
/// The three directions in which latents vary most become brightness, blue against yellow and red
/// against green, on one scale: so edges and shapes are seen whatever the autoencoder, and equal
/// latents of one preview have equal colours.
struct FalseColours {
    private let components: PrincipalComponents

    /// Standard deviations of the first direction between black and white.
    private static let range = 5.0
    /// The colour of what is not finite.
    private static let alarm: [UInt8] = [255, 0, 255]
    /// Most pixels that the directions are found from; of more, every second, third, ... is taken.
    private static let sampleLimit = 1 << 16

    /// Finds the directions of some frames of latents, all of one shape.
    init(of frames: [FrameValues]) {
        let pixels = frames.reduce(0) { $0 + $1.area }
        let step = max(1, (pixels + Self.sampleLimit - 1) / Self.sampleLimit)
        let samples = frames.lazy.flatMap { frame in
            stride(from: 0, to: frame.area, by: step).lazy.map(frame.pixel)
        }
        components = PrincipalComponents(
            of: samples, width: frames.first?.channels ?? 0, count: 3)
    }

    /// The red, green and blue of a pixel's latent.
    func colour(of latent: [Double]) -> [UInt8] {
        guard latent.allSatisfy(\.isFinite) else { return Self.alarm }
        let parts = components.coordinates(latent).map { $0 * 255 / Self.range }
        return Self.rgb(luma: 127.5 + parts[0], blue: parts[1], red: parts[2]).map(Self.byte)
    }

    /// The red, green and blue of values from -1 to 1.
    static func colour(ofPixel values: [Double]) -> [UInt8] {
        guard values.allSatisfy(\.isFinite) else { return alarm }
        return values.map { byte(($0 + 1) / 2 * 255) }
    }

    /// The inverse of Y'CbCr with BT.601's weights, all on a scale of 255.
    ///
    /// Source: Recommendation ITU-R BT.601-7, 2.5.1 and 2.5.2.
    private static func rgb(luma: Double, blue: Double, red: Double) -> [Double] {
        let (redWeight, blueWeight) = (0.299, 0.114)
        let r = luma + 2 * (1 - redWeight) * red
        let b = luma + 2 * (1 - blueWeight) * blue
        return [r, (luma - redWeight * r - blueWeight * b) / (1 - redWeight - blueWeight), b]
    }

    private static func byte(_ value: Double) -> UInt8 {
        UInt8(min(255, max(0, value.rounded())))
    }
}
