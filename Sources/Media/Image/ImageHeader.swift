import CLibAV

/// What an image file says of itself before anything is decoded.
struct ImageHeader {
    /// Stored rows, before any turning.
    var height: Int
    /// Stored columns, before any turning.
    var width: Int
    /// How to turn the stored picture.
    var orientation: Orientation
    /// Whether the file goes on to its format's end mark.
    var isComplete: Bool
    /// The decoder of the format.
    var codec: AVCodecID

    /// Recognises a file by its first bytes and walks through its parts; throws `MediaError` if it
    /// is none of the formats or has no size.
    init(of bytes: UnsafeRawBufferPointer, path: String) throws(MediaError) {
        let bytes = Bytes(bytes)
        let header: ImageHeader?
        if bytes.count == 0 {
            throw MediaError("read", path, "the file is empty")
        } else if bytes.big32(0) == 0x8950_4E47 {
            header = Self.png(bytes)
        } else if bytes.big16(0) == 0xFFD8 {
            header = Self.jpeg(bytes)
        } else if bytes.matches("RIFF", at: 0), bytes.matches("WEBP", at: 8) {
            header = Self.webp(bytes)
        } else {
            throw MediaError("read", path, "not a JPEG, PNG or WebP image")
        }
        guard let header, header.height > 0, header.width > 0 else {
            throw MediaError("read", path, "the image's header is damaged or truncated")
        }
        self = header
    }

    private init(_ codec: AVCodecID) {
        height = 0
        width = 0
        orientation = .upright
        isComplete = false
        self.codec = codec
    }

    /// Chunks of length, name, data and checksum. Source: W3C PNG, third edition, section 5.3.
    private static func png(_ bytes: Bytes) -> ImageHeader? {
        var header = ImageHeader(AV_CODEC_ID_PNG)
        guard bytes.matches("IHDR", at: 12), let width = bytes.big32(16),
            let height = bytes.big32(20)
        else { return nil }
        header.width = width
        header.height = height
        var offset = 8
        while let length = bytes.big32(offset) {
            if bytes.matches("eXIf", at: offset + 4) {
                header.turn(by: bytes.slice(offset + 8, length))
            }
            if bytes.matches("IEND", at: offset + 4) { header.isComplete = true }
            offset += 12 + length
        }
        return header
    }

    /// Segments of marker and length; entropy-coded data follows a scan's. Source: ITU-T T.81,
    /// annex B.
    private static func jpeg(_ bytes: Bytes) -> ImageHeader? {
        var header = ImageHeader(AV_CODEC_ID_MJPEG)
        var offset = 2
        while let marker = nextMarker(bytes, from: &offset) {
            switch marker {
            case 0xD9:
                header.isComplete = true
                return header
            case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker):
                guard let height = bytes.big16(offset + 3), let width = bytes.big16(offset + 5)
                else { return nil }
                header.height = height
                header.width = width
            case 0xE1 where bytes.matches("Exif\0\0", at: offset + 2):
                header.turn(by: bytes.slice(offset + 2, (bytes.big16(offset) ?? 2) - 2))
            default: break
            }
            guard let length = bytes.big16(offset), length >= 2 else { break }
            offset += length
        }
        return header
    }

    /// Moves behind the next marker and returns it, passing over coded data: there 0xFF is followed
    /// by 0 or by a restart marker.
    private static func nextMarker(_ bytes: Bytes, from offset: inout Int) -> Int? {
        while let byte = bytes.byte(offset), let next = bytes.byte(offset + 1) {
            let isMarker = byte == 0xFF && ![0x00, 0x01, 0xFF].contains(next)
            if isMarker, !(0xD0...0xD7).contains(next) {
                offset += 2
                return next
            }
            offset += 1
        }
        return nil
    }

    /// RIFF chunks. Source: RFC 9649, sections 2.3 to 2.7; RFC 6386, section 9.1.
    private static func webp(_ bytes: Bytes) -> ImageHeader? {
        var header = ImageHeader(AV_CODEC_ID_WEBP)
        guard let length = bytes.little32(4) else { return nil }
        header.isComplete = bytes.count >= 8 + length
        var offset = 12
        while let length = bytes.little32(offset + 4) {
            let data = offset + 8
            if bytes.matches("VP8 ", at: offset) {
                header.width = (bytes.little16(data + 6) ?? 0) & 0x3FFF
                header.height = (bytes.little16(data + 8) ?? 0) & 0x3FFF
            } else if bytes.matches("VP8L", at: offset), let bits = bytes.little32(data + 1) {
                header.width = bits & 0x3FFF + 1
                header.height = bits >> 14 & 0x3FFF + 1
            } else if bytes.matches("VP8X", at: offset) {
                header.width = (bytes.little24(data + 4) ?? 0) + 1
                header.height = (bytes.little24(data + 7) ?? 0) + 1
            } else if bytes.matches("EXIF", at: offset) {
                header.turn(by: bytes.slice(data, length))
            }
            offset = data + length + length & 1
        }
        return header
    }

    private mutating func turn(by exif: UnsafeRawBufferPointer) {
        orientation = Orientation(exif: exif) ?? orientation
    }
}
