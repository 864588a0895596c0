import CLibAV

/// An open encoder: frames in, packets out.
final class Encoder {
    private let path: String
    private var owned: UnsafeMutablePointer<AVCodecContext>?
    private let packet = Packet()

    /// Opens an encoder by its libav name, after `configure` has set its options; `path` is what is
    /// being written. Throws `MediaError`.
    init(
        _ name: String, path: String,
        configure: (UnsafeMutablePointer<AVCodecContext>) throws(MediaError) -> Void
    ) throws(MediaError) {
        _ = MediaLog.silenceByDefault
        self.path = path
        guard let codec = avcodec_find_encoder_by_name(name) else {
            throw MediaError("write", path, "libav has no encoder '\(name)'")
        }
        let context = try LibAV.allocated(avcodec_alloc_context3(codec), "write", path)
        owned = context
        try configure(context)
        try LibAV.check(avcodec_open2(context, codec, nil), "open \(name) for", path)
    }

    deinit { avcodec_free_context(&owned) }

    /// The open codec's parameters.
    var context: UnsafeMutablePointer<AVCodecContext> {
        guard let owned else { preconditionFailure("the encoder is open until it is freed") }
        return owned
    }

    /// Encodes a frame, or with nil all that is still inside, and passes on each finished packet.
    /// The packet is valid during the call. Throws `MediaError`.
    func encode(
        _ frame: Frame?, deliver: (Packet) throws(MediaError) -> Void
    ) throws(MediaError) {
        try LibAV.check(avcodec_send_frame(context, frame?.pointer), "encode", path)
        while true {
            let status = avcodec_receive_packet(context, packet.pointer)
            if status == clibav_again || status == clibav_end_of_file { return }
            try LibAV.check(status, "encode", path)
            try deliver(packet)
        }
    }

    /// Sets one of the encoder's own options. Throws `MediaError` if it has no such option.
    static func set(
        _ option: String, _ value: String, on context: UnsafeMutablePointer<AVCodecContext>,
        path: String
    ) throws(MediaError) {
        try LibAV.check(
            av_opt_set(context.pointee.priv_data, option, value, 0),
            "set the encoder's '\(option)' for", path)
    }
}
