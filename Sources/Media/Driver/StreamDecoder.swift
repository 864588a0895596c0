import CLibAV

/// The decoded frames of one stream of a file, in order, one at a time.
///
/// Damaged packets are passed over, as players do: one bad second must not cost an hour. A file
/// without a single good frame has none, which the caller reports.
final class StreamDecoder {
    let stream: UnsafeMutablePointer<AVStream>
    private let demuxer: Demuxer
    private let decoder: Decoder
    private let packet = Packet()
    private var isDrained = false

    /// Opens the best stream of a type; `missing` says what the file lacks if it has none. Throws
    /// `MediaError`.
    init(path: String, type: AVMediaType, missing: String) throws(MediaError) {
        demuxer = try Demuxer(path: path)
        guard let stream = demuxer.bestStream(of: type) else {
            throw MediaError("read", path, missing)
        }
        self.stream = stream
        demuxer.select(stream)
        decoder = try Decoder(of: stream, path: path)
    }

    /// Decodes the next frame; false at the end. Throws `MediaError`.
    func next(into frame: Frame) throws(MediaError) -> Bool {
        while true {
            switch try decoder.receive(into: frame) {
            case .frame: return true
            case .end: return false
            case .needsPacket: try sendPacket()
            case .damaged: continue
            }
        }
    }

    private func sendPacket() throws(MediaError) {
        while try demuxer.read(into: packet) {
            if packet.pointer.pointee.stream_index == stream.pointee.index {
                try decoder.send(packet)
                return
            }
        }
        precondition(!isDrained, "a drained decoder wants no packet")
        isDrained = true
        try decoder.send(nil)
    }

    /// A time stamp of the stream in seconds, or nil if it is unknown.
    func seconds(of time: Int64) -> Double? {
        time == clibav_no_time ? nil : Double(time) * av_q2d(stream.pointee.time_base)
    }
}
