import CLibAV
import Glibc

/// An open container: packets of its streams, in file order.
final class Demuxer {
    let path: String
    private var context: UnsafeMutablePointer<AVFormatContext>?
    private var file: UnsafeMutablePointer<AVIOContext>?

    /// Opens a local file and finds its streams. Throws `MediaError`.
    init(path: String) throws(MediaError) {
        _ = MediaLog.silenceByDefault
        self.path = path
        try Self.refuseFolderOrEmptyFile(path)
        try LibAV.check(
            avio_open2(&file, LibAV.url(of: path), AVIO_FLAG_READ, nil, nil), "read", path)
        context = try LibAV.allocated(avformat_alloc_context(), "read", path)
        context?.pointee.pb = file
        // A playlist must not open other files or the network: no protocol is left to it.
        var options: OpaquePointer?
        av_dict_set(&options, "protocol_whitelist", "none", 0)
        defer { av_dict_free(&options) }
        let status = avformat_open_input(&context, path, nil, &options)
        guard status != clibav_invalid_data else {
            throw MediaError("read", path, "no sound or video that libav knows, or damaged")
        }
        try LibAV.check(status, "read", path)
        try LibAV.check(avformat_find_stream_info(context, nil), "read", path)
    }

    deinit {
        avformat_close_input(&context)
        avio_closep(&file)
    }

    /// The streams in file order.
    var streams: [UnsafeMutablePointer<AVStream>] {
        guard let context = context?.pointee else { return [] }
        return (0..<Int(context.nb_streams)).compactMap { context.streams[$0] }
    }

    /// The stream of a type that a player would choose, or nil if there is none.
    func bestStream(of type: AVMediaType) -> UnsafeMutablePointer<AVStream>? {
        let index = av_find_best_stream(context, type, -1, -1, nil, 0)
        return index < 0 ? nil : streams[Int(index)]
    }

    /// Skips the packets of every other stream.
    func select(_ stream: UnsafeMutablePointer<AVStream>) {
        for other in streams { other.pointee.discard = AVDISCARD_ALL }
        stream.pointee.discard = AVDISCARD_DEFAULT
    }

    /// Reads the next packet; false at the end. Throws `MediaError`.
    func read(into packet: Packet) throws(MediaError) -> Bool {
        av_packet_unref(packet.pointer)
        let status = av_read_frame(context, packet.pointer)
        if status == clibav_end_of_file { return false }
        try LibAV.check(status, "read", path)
        return true
    }

    /// Two cases for which libav's own words would mislead.
    private static func refuseFolderOrEmptyFile(_ path: String) throws(MediaError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw MediaError("read", path, String(cString: strerror(errno)))
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            throw MediaError("read", path, String(cString: strerror(EISDIR)))
        }
        if status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 {
            throw MediaError("read", path, "the file is empty")
        }
    }
}
