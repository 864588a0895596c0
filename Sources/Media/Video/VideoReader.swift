import CLibAV

/// The pictures of any video that libav reads, one at a time, upright, as 8-bit RGB.
public final class VideoReader {
    /// The path as it was given.
    public let path: String
    /// Average frames per second, as the file says.
    public let framesPerSecond: Double
    /// Pictures decoded so far.
    public private(set) var frameCount = 0
    /// When the last picture is due, in seconds, if the file says so.
    package private(set) var time: Double?
    /// Tags of the last picture: matrix, primaries, transfer and whether its range is limited, by
    /// their numbers in ITU-T H.273.
    package private(set) var colourTags:
        (
            matrix: Int, primaries: Int, transfer: Int, isLimited: Bool
        )?

    private let decoder: StreamDecoder
    private let converter = PixelConverter()
    private let frame = Frame()
    private let orientation: Orientation

    /// Opens a file's video. Throws `MediaError` if it cannot be read or has no video.
    public init(path: String) throws(MediaError) {
        self.path = path
        decoder = try StreamDecoder(
            path: path, type: AVMEDIA_TYPE_VIDEO, missing: "the file has no video")
        let stream = decoder.stream.pointee
        let average = av_q2d(stream.avg_frame_rate)
        let rate = average > 0 ? average : av_q2d(stream.r_frame_rate)
        guard rate > 0, rate.isFinite else {
            throw MediaError("read", path, "its video has no frame rate")
        }
        framesPerSecond = rate
        orientation = Self.orientation(of: decoder.stream)
    }

    /// The next picture, or nil at the end. Throws `MediaError`: also if there is not one.
    public func next() throws(MediaError) -> Image? {
        guard try skip() else { return nil }
        return try converter.convert(frame, path: path).upright(from: orientation)
    }

    /// Decodes the next picture without converting it; false at the end. Throws as `next`.
    public func skip() throws(MediaError) -> Bool {
        guard try decoder.next(into: frame) else {
            guard frameCount > 0 else { throw MediaError("read", path, "its video is empty") }
            return false
        }
        frameCount += 1
        let picture = frame.pointer.pointee
        time = decoder.seconds(of: picture.best_effort_timestamp)
        colourTags = (
            Int(picture.colorspace.rawValue), Int(picture.color_primaries.rawValue),
            Int(picture.color_trc.rawValue), picture.color_range == AVCOL_RANGE_MPEG
        )
        return true
    }

    /// How the camera was held: the container's display matrix, if it is a quarter turn.
    private static func orientation(of stream: UnsafeMutablePointer<AVStream>) -> Orientation {
        guard let data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, nil) else {
            return .upright
        }
        let matrix = UnsafeRawPointer(data).assumingMemoryBound(to: Int32.self)
        let angle = av_display_rotation_get(matrix)
        guard angle.isFinite else { return .upright }
        // libav counts counter-clockwise.
        switch (Int(angle.rounded()) % 360 + 360) % 360 {
        case 90: return .counterClockwise
        case 180: return .upsideDown
        case 270: return .clockwise
        default: return .upright
        }
    }
}

extension VideoReader {
    /// Which frames of a video stand for poses at `targetRate` frames a second: every `interval`-th,
    /// interval = max(1, round(rate / targetRate)), halves to even, `limit` at most.
    ///
    /// From the start, or, if not `fromStart`, such that the last is the video's last. Source:
    /// semantics of `read_last_n_frames`,
    /// https://github.com/Wan-Video/Wan2.2/blob/main/wan/speech2video.py
    public static func poseIndices(
        frames: Int, framesPerSecond: Double, limit: Int, targetRate: Double, fromStart: Bool = true
    ) -> [Int] {
        let interval = interval(framesPerSecond, targetRate: targetRate)
        let span = (limit - 1) * interval
        let start = fromStart ? 0 : max(0, frames - 1 - span)
        return (0..<limit).map { start + $0 * interval }.filter { $0 < frames }
    }

    /// Calls `body` with each pose and its number, from the start, `limit` at most; returns how many
    /// there were. One picture is in memory at a time.
    ///
    /// Throws `MediaError`, or what `body` throws, which stops.
    @discardableResult
    public func forEachPose(
        limit: Int, targetRate: Double, _ body: (Int, Image) throws -> Void
    ) throws -> Int {
        let interval = Self.interval(framesPerSecond, targetRate: targetRate)
        var poses = 0
        while poses < limit, let image = try next() {
            try body(poses, image)
            poses += 1
            guard poses < limit else { break }
            for _ in 1..<interval {
                guard try skip() else { return poses }
            }
        }
        return poses
    }

    /// Pictures from one pose to the next, at a video rate and a pose rate.
    public static func interval(_ framesPerSecond: Double, targetRate: Double) -> Int {
        max(1, Int((framesPerSecond / targetRate).rounded(.toNearestOrEven)))
    }
}
