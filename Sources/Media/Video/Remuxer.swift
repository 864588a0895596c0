import CLibAV

/// The streams of one container in another, untouched.
enum Remuxer {
    /// Copies every packet of `source` into a faststart MP4 at `target`; `path` is its final name, for
    /// messages.
    ///
    /// A fragmented MP4 does not say where in its last packet the sound ends: `soundLength`, in
    /// seconds, does. Throws `MediaError`.
    static func copy(
        _ source: String, to target: String, soundLength: Double, path: String
    ) throws(MediaError) {
        let demuxer = try Demuxer(path: source)
        let muxer = try Muxer(writing: target, path: path)
        let inputs = demuxer.streams
        var outputs: [UnsafeMutablePointer<AVStream>] = []
        for stream in inputs { outputs.append(try muxer.addStream(like: stream)) }
        try muxer.writeHeader(options: ["movflags": "+faststart"])
        let packet = Packet()
        while try demuxer.read(into: packet) {
            let input = inputs[Int(packet.pointer.pointee.stream_index)]
            let output = outputs[Int(packet.pointer.pointee.stream_index)]
            if input.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO {
                shorten(packet, to: soundLength / av_q2d(input.pointee.time_base))
            }
            try muxer.write(packet, timeBase: input.pointee.time_base, to: output)
        }
        try muxer.finish()
    }

    /// Ends a packet where its stream ends, in the stream's units.
    private static func shorten(_ packet: Packet, to end: Double) {
        let left = Int64(end.rounded()) - packet.pointer.pointee.pts
        packet.pointer.pointee.duration = max(1, min(packet.pointer.pointee.duration, left))
    }
}
