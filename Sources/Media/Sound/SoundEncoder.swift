import CLibAV

/// Samples to AAC, in the encoder's own portions.
final class SoundEncoder {
    let encoder: Encoder
    /// Samples of each channel taken so far.
    private(set) var count = 0
    private let path: String
    private let channels: Int
    private let rate: Int
    private var pending: Samples

    /// Bits per second of one channel: transparent for speech.
    private static let bitRate = 96_000

    /// Opens libav's AAC encoder for one or two channels. Throws `MediaError`.
    init(rate: Int, channels: Int, path: String) throws(MediaError) {
        self.path = path
        self.channels = channels
        self.rate = rate
        pending = Samples(channels: channels, values: [])
        encoder = try Encoder("aac", path: path) { context throws(MediaError) in
            context.pointee.sample_rate = Int32(rate)
            context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
            context.pointee.bit_rate = Int64(Self.bitRate * channels)
            context.pointee.time_base = AVRational(num: 1, den: Int32(rate))
            context.pointee.flags |= Int32(AV_CODEC_FLAG_GLOBAL_HEADER)
            av_channel_layout_default(&context.pointee.ch_layout, Int32(channels))
        }
    }

    /// Samples of each channel in one portion.
    private var portion: Int { Int(encoder.context.pointee.frame_size) }

    /// Encodes samples as far as they fill portions. Throws `MediaError`.
    func encode(
        _ samples: Samples, deliver: (Packet) throws(MediaError) -> Void
    ) throws(MediaError) {
        pending = pending.followed(by: samples)
        while pending.count >= portion {
            let (head, tail) = pending.split(at: portion)
            try encodePortion(head, deliver: deliver)
            pending = tail
        }
    }

    /// Encodes what is left and gives what is still inside. Throws `MediaError`.
    func finish(deliver: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        if pending.count > 0 { try encodePortion(pending, deliver: deliver) }
        try encoder.encode(nil, deliver: deliver)
    }

    private func encodePortion(
        _ samples: Samples, deliver: (Packet) throws(MediaError) -> Void
    ) throws(MediaError) {
        let frame = Frame()
        frame.pointer.pointee.nb_samples = Int32(samples.count)
        frame.pointer.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
        frame.pointer.pointee.sample_rate = Int32(rate)
        av_channel_layout_default(&frame.pointer.pointee.ch_layout, Int32(channels))
        frame.pointer.pointee.pts = Int64(count)
        try frame.allocate("encode", path)
        samples.values.withUnsafeBytes { bytes in
            let length = bytes.count / channels
            for channel in 0..<channels {
                UnsafeMutableRawPointer(frame.plane(channel)).copyMemory(
                    from: bytes.baseAddress! + channel * length, byteCount: length)
            }
        }
        count += samples.count
        try encoder.encode(frame, deliver: deliver)
    }
}
