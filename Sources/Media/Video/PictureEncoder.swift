import CLibAV

/// RGB frames to H.264, one at a time.
final class PictureEncoder {
    let encoder: Encoder
    private let size: FrameSize
    private let path: String
    private let matrix = BT709(bits: 8)

    /// x264's threads: a fixed number, so that the bytes do not depend on the machine's cores.
    private static let threads: Int32 = 4
    /// Frames that x264 looks ahead. Its default of 40 would hold the first pictures of a film that
    /// is watched while it grows for 1.6 s more.
    private static let lookahead = 20
    /// Seconds between pictures that can be sought to.
    private static let keyframeSeconds = 2.0

    /// Opens libx264 for frames of this size. Throws `MediaError`.
    init(size: FrameSize, options: MovieOptions, path: String) throws(MediaError) {
        guard size.height > 0, size.width > 0, size.height % 2 == 0, size.width % 2 == 0 else {
            throw MediaError(
                "write", path, "4:2:0 video has an even width and height, the frames are \(size)")
        }
        self.size = size
        self.path = path
        encoder = try Encoder("libx264", path: path) { context throws(MediaError) in
            Self.describe(context, size: size, rate: options.frameRate)
            for (option, value) in [
                ("preset", options.preset.rawValue), ("crf", String(options.crf)),
                ("rc-lookahead", String(Self.lookahead)),
            ] {
                try Encoder.set(option, value, on: context, path: path)
            }
        }
    }

    private static func describe(
        _ context: UnsafeMutablePointer<AVCodecContext>, size: FrameSize, rate: FrameRate
    ) {
        context.pointee.width = Int32(size.width)
        context.pointee.height = Int32(size.height)
        context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
        context.pointee.time_base = AVRational(
            num: Int32(rate.denominator), den: Int32(rate.numerator))
        context.pointee.framerate = AVRational(
            num: Int32(rate.numerator), den: Int32(rate.denominator))
        context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
        context.pointee.gop_size = Int32((keyframeSeconds * rate.framesPerSecond).rounded(.up))
        context.pointee.thread_count = threads
        context.pointee.color_primaries = AVCOL_PRI_BT709
        context.pointee.color_trc = AVCOL_TRC_BT709
        context.pointee.colorspace = AVCOL_SPC_BT709
        context.pointee.color_range = AVCOL_RANGE_MPEG
        context.pointee.chroma_sample_location = AVCHROMA_LOC_LEFT
        // MP4 keeps the parameter sets in its index.
        context.pointee.flags |= Int32(AV_CODEC_FLAG_GLOBAL_HEADER)
    }

    /// Encodes `rgb`, [height, width, 3], as frame `index`. Throws `MediaError`.
    func encode(
        _ rgb: UnsafePointer<UInt8>, index: Int, deliver: (Packet) throws(MediaError) -> Void
    ) throws(MediaError) {
        let frame = Frame()
        frame.pointer.pointee.width = Int32(size.width)
        frame.pointer.pointee.height = Int32(size.height)
        frame.pointer.pointee.format = AV_PIX_FMT_YUV420P.rawValue
        frame.pointer.pointee.pts = Int64(index)
        try frame.allocate("encode", path)
        matrix.write420(
            rgb, height: size.height, width: size.width,
            planes: (0..<3).map(frame.plane), strides: (0..<3).map(frame.stride))
        try encoder.encode(frame, deliver: deliver)
    }

    /// Gives the frames that are still inside. Throws `MediaError`.
    func finish(deliver: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        try encoder.encode(nil, deliver: deliver)
    }
}
