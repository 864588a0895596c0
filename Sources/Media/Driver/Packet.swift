import CLibAV

/// An owned `AVPacket`: coded bytes of one stream.
final class Packet {
    let pointer: UnsafeMutablePointer<AVPacket>

    /// An empty packet; traps if there is no memory for its header.
    init() {
        guard let pointer = av_packet_alloc() else { preconditionFailure("out of memory") }
        self.pointer = pointer
    }

    /// A packet with a copy of `bytes` and the padding that decoders read over. Throws `MediaError`.
    convenience init(
        copying bytes: UnsafeRawBufferPointer, _ action: String, _ path: String
    ) throws(MediaError) {
        self.init()
        guard let count = Int32(exactly: bytes.count) else {
            throw MediaError(action, path, "the file is too large")
        }
        try LibAV.check(av_new_packet(pointer, count), action, path)
        UnsafeMutableRawBufferPointer(start: pointer.pointee.data, count: bytes.count)
            .copyMemory(from: bytes)
    }

    deinit {
        var packet: UnsafeMutablePointer<AVPacket>? = pointer
        av_packet_free(&packet)
    }

    /// The coded bytes.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer.pointee.data, count: Int(pointer.pointee.size))
    }
}
