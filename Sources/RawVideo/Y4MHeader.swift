import Tensors

/// The first line of a yuv4mpeg stream: size, frame rate and sample format.
///
/// Of the format's variants only full chroma resolution (4:4:4) is used here, with 8 or 10 bits,
/// limited range, progressive, and BT.709 by agreement, for the format has no tag for the matrix.
/// Source: yuv4mpeg(5) of mjpegtools; the 10-bit and range tags as in `yuv4mpegdec.c` of
/// https://github.com/FFmpeg/FFmpeg/blob/n5.1/libavformat/yuv4mpegdec.c
public struct Y4MHeader: Hashable, Sendable {
    /// Of every frame.
    public let size: FrameSize
    /// Frames per second.
    public let frameRate: FrameRate
    /// Bits of a sample: 8, or 10 in two bytes, the low one first.
    public let bits: Int

    /// What every stream starts with.
    static let magic = "YUV4MPEG2"
    /// What every frame starts with.
    static let frameMark = "FRAME"
    /// Longest line that is read.
    static let lineLimit = 256

    /// A stream of 10 bits, from which every 8-bit colour comes back unchanged, or of 8 bits, from
    /// which colours come back up to 2 grey levels away, for readers that know no other.
    public init(size: FrameSize, frameRate: FrameRate, bits: Int = 10) {
        precondition(bits == 8 || bits == 10)
        self.size = size
        self.frameRate = frameRate
        self.bits = bits
    }

    /// Bytes of one sample.
    var sampleSize: Int { bits > 8 ? 2 : 1 }
    /// Bytes of one frame's three planes.
    var frameLength: Int { 3 * size.area * sampleSize }

    /// The line with its end.
    var line: String {
        let chroma = bits == 10 ? "C444p10 XYSCSS=444P10" : "C444 XYSCSS=444"
        return "\(Self.magic) W\(size.width) H\(size.height) F\(frameRate) Ip A1:1 \(chroma) "
            + "XCOLORRANGE=LIMITED\n"
    }

    /// Parses a line without its end; throws `MediaError` with `path` for what is not read here.
    init(parsing line: String, path: String) throws(MediaError) {
        let fields = line.split(separator: " ")
        guard fields.first.map(String.init) == Self.magic else {
            throw MediaError("read", path, "not a yuv4mpeg stream")
        }
        var values: [Character: Substring] = [:]
        for field in fields.dropFirst() where field.first != "X" {
            if let key = field.first { values[key] = field.dropFirst() }
        }
        guard let width = values["W"].flatMap({ Int($0) }),
            let height = values["H"].flatMap({ Int($0) }),
            (1...65535).contains(width), (1...65535).contains(height),
            width * height <= Image.pixelLimit
        else { throw MediaError("read", path, "the yuv4mpeg stream has no size, or a wrong one") }
        size = FrameSize(height: height, width: width)
        frameRate = try Self.frameRate(values["F"] ?? "", path: path)
        bits = try Self.bits(values["C"] ?? "420jpeg", path: path)
        guard ["p", "?", nil].contains(values["I"]) else {
            throw MediaError("read", path, "interlaced yuv4mpeg streams are not read")
        }
        guard !fields.contains("XCOLORRANGE=FULL") else {
            throw MediaError("read", path, "full-range yuv4mpeg streams are not read")
        }
    }

    private static func frameRate(_ text: Substring, path: String) throws(MediaError) -> FrameRate {
        let parts = text.split(separator: ":").map { Int($0) ?? 0 }
        let limit = Int(Int32.max)
        guard parts.count == 2, parts.allSatisfy({ (1...limit).contains($0) }) else {
            throw MediaError("read", path, "the yuv4mpeg stream has no frame rate, or a wrong one")
        }
        return FrameRate(parts[0], per: parts[1])
    }

    private static func bits(_ chroma: Substring, path: String) throws(MediaError) -> Int {
        switch chroma {
        case "444": return 8
        case "444p10": return 10
        default:
            throw MediaError(
                "read", path,
                "yuv4mpeg of chroma '\(printable(String(chroma)))' is not read, 444 and 444p10 are")
        }
    }
}
