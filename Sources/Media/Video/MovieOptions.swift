/// How a film is encoded and laid out.
public struct MovieOptions: Sendable {
    /// How the MP4's parts lie in the file.
    public enum Layout: Sendable {
        /// The index first, so that a player can start while it loads; written at the end.
        case faststart
        /// While it grows, in fragments that play as soon as they are on disk; at the end as above.
        case fragmented
    }

    /// x264's presets, fast ones first.
    public enum Preset: String, CaseIterable, Sendable {
        case ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow, placebo
    }

    /// Frames per second; frame k is shown from k / rate on.
    public var frameRate = FrameRate(25)
    /// x264's constant rate factor: 0 is lossless, 51 the worst.
    public var crf = 18.0
    /// How long x264 searches for fewer bytes of the same quality.
    public var preset = Preset.medium
    /// How many frame times longer the first frame is shown.
    public var holdFirst = 0
    /// How the file is laid out.
    public var layout = Layout.faststart

    /// The options of a plain film.
    public init() {}
}
