import Glibc
import Tensors

/// Writes RGB frames to a pipe as a yuv4mpeg stream, 4:4:4 BT.709, limited range.
public final class Y4MWriter {
    /// What the stream says of itself.
    public let header: Y4MHeader

    private let descriptor: Int32
    private let name: String
    private let matrix: BT709
    private var buffer: [UInt8]
    private var hasHeader = false

    /// Writes to an open file that stays the caller's; `name` is for messages, as "stdout".
    public init(_ header: Y4MHeader, descriptor: Int32, name: String) {
        self.header = header
        self.descriptor = descriptor
        self.name = name
        matrix = BT709(bits: header.bits)
        buffer = [UInt8](repeating: 0, count: header.frameLength)
    }

    /// Appends frames, [n, height, width, 3] one after another.
    ///
    /// Throws `SystemError`, as when the reader went away (the process must ignore SIGPIPE to see
    /// it). Traps unless `frames` is whole frames.
    public func append(_ frames: UnsafeRawBufferPointer) throws(SystemError) {
        let length = header.size.area * Image.channels
        precondition(frames.count.isMultiple(of: length), "the frames have another size")
        if !hasHeader {
            try write(Array(header.line.utf8))
            hasHeader = true
        }
        for start in stride(from: 0, to: frames.count, by: length) {
            fillBuffer(UnsafeRawBufferPointer(rebasing: frames[start..<start + length]))
            try write(Array((Y4MHeader.frameMark + "\n").utf8))
            try write(buffer)
        }
    }

    /// Converts one frame into planes.
    private func fillBuffer(_ rgb: UnsafeRawBufferPointer) {
        let area = header.size.area
        let isWide = header.sampleSize == 2
        buffer.withUnsafeMutableBytes { planes in
            for pixel in 0..<area {
                let (r, g, b) = (
                    Int32(rgb[3 * pixel]), Int32(rgb[3 * pixel + 1]), Int32(rgb[3 * pixel + 2])
                )
                let (cb, cr) = matrix.chroma(r, g, b)
                let values = (matrix.luma(r, g, b), cb, cr)
                if isWide {
                    Self.store(values.0, planes, pixel)
                    Self.store(values.1, planes, area + pixel)
                    Self.store(values.2, planes, 2 * area + pixel)
                } else {
                    planes[pixel] = UInt8(truncatingIfNeeded: values.0)
                    planes[area + pixel] = UInt8(truncatingIfNeeded: values.1)
                    planes[2 * area + pixel] = UInt8(truncatingIfNeeded: values.2)
                }
            }
        }
    }

    private static func store(
        _ value: Int32, _ planes: UnsafeMutableRawBufferPointer, _ index: Int
    ) {
        planes.storeBytes(
            of: UInt16(truncatingIfNeeded: value).littleEndian, toByteOffset: 2 * index,
            as: UInt16.self)
    }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("write", name) }
            done += count
        }
    }
}
