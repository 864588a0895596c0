import CLibAV

/// An MP4 container that is being written.
final class Muxer {
    private let path: String
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private var hasHeader = false

    /// Opens `filePath` for an MP4 whose final name, for messages, is `path`. Throws `MediaError`.
    init(writing filePath: String, path: String) throws(MediaError) {
        _ = MediaLog.silenceByDefault
        self.path = path
        let url = LibAV.url(of: filePath)
        try LibAV.check(
            avformat_alloc_output_context2(&context, nil, "mp4", url), "write", path)
        // No library version in the file: the same input gives the same bytes.
        open.pointee.flags |= AVFMT_FLAG_BITEXACT
        try LibAV.check(avio_open2(&open.pointee.pb, url, AVIO_FLAG_WRITE, nil, nil), "write", path)
    }

    deinit {
        if let context { avio_closep(&context.pointee.pb) }
        avformat_free_context(context)
    }

    private var open: UnsafeMutablePointer<AVFormatContext> {
        guard let context else { preconditionFailure("the container is open until it is freed") }
        return context
    }

    /// Adds a stream with the parameters and time base of an encoder. Throws `MediaError`.
    func addStream(of encoder: Encoder) throws(MediaError) -> UnsafeMutablePointer<AVStream> {
        let stream = try LibAV.allocated(avformat_new_stream(open, nil), "write", path)
        stream.pointee.time_base = encoder.context.pointee.time_base
        try LibAV.check(
            avcodec_parameters_from_context(stream.pointee.codecpar, encoder.context), "write", path
        )
        return stream
    }

    /// Adds a stream like one of another container. Throws `MediaError`.
    func addStream(
        like source: UnsafeMutablePointer<AVStream>
    ) throws(MediaError) -> UnsafeMutablePointer<AVStream> {
        let stream = try LibAV.allocated(avformat_new_stream(open, nil), "write", path)
        stream.pointee.time_base = source.pointee.time_base
        stream.pointee.avg_frame_rate = source.pointee.avg_frame_rate
        try LibAV.check(
            avcodec_parameters_copy(stream.pointee.codecpar, source.pointee.codecpar), "write", path
        )
        stream.pointee.codecpar.pointee.codec_tag = 0
        return stream
    }

    /// Writes the header; the streams are complete. Throws `MediaError`.
    func writeHeader(options: KeyValuePairs<String, String>) throws(MediaError) {
        var dictionary: OpaquePointer?
        for (key, value) in options { av_dict_set(&dictionary, key, value, 0) }
        defer { av_dict_free(&dictionary) }
        try LibAV.check(avformat_write_header(context, &dictionary), "write", path)
        hasHeader = true
    }

    /// Writes a packet, whose times are in `timeBase`, into its stream's place among the others.
    /// Leaves the packet empty. Throws `MediaError`, as when the disk is full.
    func write(
        _ packet: Packet, timeBase: AVRational, to stream: UnsafeMutablePointer<AVStream>
    ) throws(MediaError) {
        av_packet_rescale_ts(packet.pointer, timeBase, stream.pointee.time_base)
        packet.pointer.pointee.stream_index = stream.pointee.index
        packet.pointer.pointee.pos = -1
        try LibAV.check(av_interleaved_write_frame(context, packet.pointer), "write", path)
        try checkFile()
    }

    /// Writes what is left and closes the file. Throws `MediaError`.
    func finish() throws(MediaError) {
        precondition(hasHeader, "a container without a header cannot be finished")
        try LibAV.check(av_write_trailer(context), "write", path)
        try checkFile()
        try LibAV.check(avio_closep(&open.pointee.pb), "write", path)
    }

    /// libav keeps a failed write of buffered bytes for later; later is now.
    private func checkFile() throws(MediaError) {
        guard let file = open.pointee.pb else { return }
        try LibAV.check(file.pointee.error, "write", path)
    }
}
