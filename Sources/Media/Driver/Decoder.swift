import CLibAV

/// An open decoder: packets in, frames out.
final class Decoder {
    private let path: String
    private var context: UnsafeMutablePointer<AVCodecContext>?

    /// Opens the decoder of a codec, after `configure` has set its options. Throws `MediaError`.
    init(
        _ codec: AVCodecID, path: String,
        configure: (UnsafeMutablePointer<AVCodecContext>) throws(MediaError) -> Void
    ) throws(MediaError) {
        _ = MediaLog.silenceByDefault
        self.path = path
        guard let decoder = avcodec_find_decoder(codec) else {
            let name = String(cString: avcodec_get_name(codec))
            throw MediaError("read", path, "libav has no decoder for '\(name)'")
        }
        let context = try LibAV.allocated(avcodec_alloc_context3(decoder), "read", path)
        self.context = context
        try configure(context)
        try LibAV.check(avcodec_open2(context, decoder, nil), "read", path)
    }

    /// Opens the decoder of a stream, on as many threads as it likes. Throws `MediaError`.
    convenience init(
        of stream: UnsafeMutablePointer<AVStream>, path: String
    ) throws(MediaError) {
        let parameters = stream.pointee.codecpar
        let codec = parameters?.pointee.codec_id ?? AV_CODEC_ID_NONE
        try self.init(codec, path: path) { context throws(MediaError) in
            try LibAV.check(avcodec_parameters_to_context(context, parameters), "read", path)
            // Encoder delay is dropped by time: the decoder must know the unit.
            context.pointee.pkt_timebase = stream.pointee.time_base
            context.pointee.thread_count = 0
            // Far above any video in use; what is larger is refused before memory is taken.
            context.pointee.max_pixels = Int64(Image.pixelLimit)
        }
    }

    deinit { avcodec_free_context(&context) }

    /// What `send` did with a packet.
    enum Acceptance {
        case accepted
        /// Damaged: the decoder drops it and goes on with the next.
        case damaged
    }

    /// Hands the decoder a packet, or nil to make it give all it has. Throws `MediaError`.
    @discardableResult
    func send(_ packet: Packet?) throws(MediaError) -> Acceptance {
        let status = avcodec_send_packet(context, packet?.pointer)
        if status == clibav_no_memory { try LibAV.check(status, "decode", path) }
        return status < 0 ? .damaged : .accepted
    }

    /// What `receive` found.
    enum Reception {
        case frame
        case needsPacket
        case end
        /// Damaged: more may follow.
        case damaged
    }

    /// Takes the next frame. Throws `MediaError`.
    func receive(into frame: Frame) throws(MediaError) -> Reception {
        let status = avcodec_receive_frame(context, frame.pointer)
        switch status {
        case clibav_again: return .needsPacket
        case clibav_end_of_file: return .end
        case clibav_no_memory: throw MediaError("decode", path, LibAV.text(of: status))
        default: return status < 0 ? .damaged : .frame
        }
    }
}
