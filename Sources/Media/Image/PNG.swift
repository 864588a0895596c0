import CLibAV
import Tensors

extension Raster<UInt8> {
    /// Writes the picture as an 8-bit RGB PNG, whole or not at all. Throws `MediaError` or
    /// `SystemError`.
    public func writePNG(to path: String) throws {
        let file = try PartialFile(path: path)
        var offset = 0
        try encodePNG(path: path) { packet in
            try file.write(packet.bytes, at: offset)
            offset += packet.bytes.count
        }
        try file.commit()
    }

    private func encodePNG(path: String, deliver: (Packet) throws -> Void) throws {
        guard height > 0, width > 0 else {
            throw MediaError("write", path, "the picture is empty")
        }
        let encoder = try Encoder("png", path: path) { context throws(MediaError) in
            context.pointee.width = Int32(width)
            context.pointee.height = Int32(height)
            context.pointee.pix_fmt = AV_PIX_FMT_RGB24
            context.pointee.time_base = AVRational(num: 1, den: 1)
        }
        let frame = try rgbFrame(path: path)
        var failure: (any Error)?
        for input in [frame, nil] {
            try encoder.encode(input) { packet in
                do { try deliver(packet) } catch { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }

    /// A copy as libav holds it.
    private func rgbFrame(path: String) throws(MediaError) -> Frame {
        let frame = Frame()
        frame.pointer.pointee.width = Int32(width)
        frame.pointer.pointee.height = Int32(height)
        frame.pointer.pointee.format = AV_PIX_FMT_RGB24.rawValue
        try frame.allocate("write", path)
        let rowLength = width * Self.channels
        values.withUnsafeBytes { bytes in
            for y in 0..<height {
                UnsafeMutableRawPointer(frame.plane(0) + y * frame.stride(0))
                    .copyMemory(from: bytes.baseAddress! + y * rowLength, byteCount: rowLength)
            }
        }
        return frame
    }
}
