import Glibc
import Tensors

/// Reads RGB frames from a pipe with a yuv4mpeg stream, 4:4:4 BT.709, limited range.
public final class Y4MReader {
    /// What the stream says of itself.
    public let header: Y4MHeader
    /// Frames read so far.
    public private(set) var frameCount = 0

    private let input: BufferedInput
    private let name: String
    private let matrix: BT709

    /// Reads the header from an open file that stays the caller's; `name` is for messages, as
    /// "stdin". Throws `MediaError` or `SystemError`.
    public init(descriptor: Int32, name: String) throws {
        self.name = name
        input = BufferedInput(descriptor: descriptor, name: name)
        guard let line = try input.line(limit: Y4MHeader.lineLimit) else {
            throw MediaError("read", name, "the stream is empty")
        }
        header = try Y4MHeader(parsing: line, path: name)
        matrix = BT709(bits: header.bits)
    }

    /// The next frame, or nil at the end.
    ///
    /// Throws `MediaError` if the stream breaks off inside a frame, `SystemError` if it cannot be read.
    public func next() throws -> Image? {
        guard let line = try input.line(limit: Y4MHeader.lineLimit) else { return nil }
        guard line.split(separator: " ").first.map(String.init) == Y4MHeader.frameMark else {
            throw MediaError("read", name, "frame \(frameCount) of the stream is damaged")
        }
        guard let planes = try input.bytes(header.frameLength) else {
            throw MediaError("read", name, "the stream breaks off in frame \(frameCount)")
        }
        frameCount += 1
        return image(planes)
    }

    private func image(_ planes: [UInt8]) -> Image {
        let area = header.size.area
        let size = header.sampleSize
        let mask: Int32 = (1 << Int32(header.bits)) - 1
        return Image(height: header.size.height, width: header.size.width) { output in
            planes.withUnsafeBytes { planes in
                func sample(_ index: Int) -> Int32 {
                    guard size == 2 else { return Int32(planes[index]) }
                    return Int32(planes[2 * index]) | Int32(planes[2 * index + 1]) << 8 & mask
                }
                for pixel in 0..<area {
                    let (r, g, b) = matrix.rgb(
                        sample(pixel), sample(area + pixel), sample(2 * area + pixel))
                    output[3 * pixel] = r
                    output[3 * pixel + 1] = g
                    output[3 * pixel + 2] = b
                }
            }
        }
    }
}

/// Lines and blocks from an open file.
private final class BufferedInput {
    private let descriptor: Int32
    private let name: String
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var start = 0
    private var end = 0

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// The next line without its end, or nil if nothing follows; throws if it is longer than `limit`.
    func line(limit: Int) throws -> String? {
        var line: [UInt8] = []
        while let byte = try byte() {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
            guard line.count <= limit else {
                throw MediaError("read", name, "not a yuv4mpeg stream")
            }
        }
        guard line.isEmpty else { throw MediaError("read", name, "the stream breaks off") }
        return nil
    }

    /// The next `count` bytes, or nil if fewer follow.
    func bytes(_ count: Int) throws(SystemError) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            guard try fill() else { return nil }
            let part = buffer[start..<min(end, start + count - bytes.count)]
            bytes += part
            start += part.count
        }
        return bytes
    }

    private func byte() throws(SystemError) -> UInt8? {
        guard try fill() else { return nil }
        start += 1
        return buffer[start - 1]
    }

    /// Makes sure that a byte is buffered; false at the end.
    private func fill() throws(SystemError) -> Bool {
        while start == end {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read", name) }
            if count == 0 { return false }
            start = 0
            end = count
        }
        return true
    }
}
