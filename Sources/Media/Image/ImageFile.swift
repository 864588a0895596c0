import CLibAV
import Tensors

extension Raster<UInt8> {
    /// Reads a JPEG, PNG or WebP file as it is meant to be seen, upright by its EXIF orientation.
    ///
    /// Grey becomes three equal channels. Transparent pixels lie over black, as the padding around a
    /// small image is black; opaque images are unaffected. Of 16 bits the high byte counts. Colour
    /// profiles are ignored, as the released code ignores them. PNG and WebP are exactly what libpng
    /// and libwebp give; JPEG is what libjpeg gives, but for 1 to 3 grey levels in a few
    /// per cent of the values (2 to 6 seen on photographs), where the inverse transforms round apart.
    ///
    /// Throws `MediaError`, or `SystemError` if the file cannot be opened: for anything else than
    /// these formats, damaged or truncated data, and pictures of more than `pixelLimit` pixels.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        let header = try ImageHeader(of: file.bytes, path: path)
        guard header.height * header.width <= Self.pixelLimit else {
            throw MediaError(
                "read", path,
                "\(header.width)x\(header.height) pixels, at most \(Self.pixelLimit) are read")
        }
        guard header.isComplete else {
            throw MediaError("read", path, "the image is truncated")
        }
        let frame = try Self.decode(file.bytes, header, path: path)
        self = try Image(frame, path: path).upright(from: header.orientation)
    }

    /// Decodes the only picture of a file. Throws `MediaError`.
    private static func decode(
        _ bytes: UnsafeRawBufferPointer, _ header: ImageHeader, path: String
    ) throws(MediaError) -> Frame {
        let decoder = try Decoder(header.codec, path: path) { context throws(MediaError) in
            context.pointee.max_pixels = Int64(pixelLimit)
            context.pointee.err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE
            // Of libav's inverse transforms the one that differs least from libjpeg's.
            context.pointee.idct_algo = FF_IDCT_FAAN
        }
        let frame = Frame()
        let damaged = MediaError("read", path, "the image is damaged, or of a kind libav lacks")
        let packet = try Packet(copying: bytes, "read", path)
        guard try decoder.send(packet) == .accepted else { throw damaged }
        try decoder.send(nil)
        guard try decoder.receive(into: frame) == .frame,
            frame.height == header.height, frame.width == header.width,
            frame.pointer.pointee.decode_error_flags == 0
        else { throw damaged }
        return frame
    }
}

extension Image {
    /// The pixels of a decoded frame, exactly for the formats of images, through libswscale for
    /// those of video. Throws `MediaError`.
    init(_ frame: Frame, path: String) throws(MediaError) {
        if let layout = PackedLayout(frame.pixelFormat) {
            self.init(frame, layout)
            return
        }
        switch frame.pixelFormat {
        case AV_PIX_FMT_PAL8: self.init(palette: frame)
        case AV_PIX_FMT_MONOBLACK: self.init(bits: frame, set: 255)
        case AV_PIX_FMT_MONOWHITE: self.init(bits: frame, set: 0)
        case AV_PIX_FMT_GBRP, AV_PIX_FMT_GBRAP: self.init(planes: frame)
        case AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUVJ444P,
            AV_PIX_FMT_YUVJ411P:
            self.init(jpeg: frame)
        case AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVA420P: self.init(webp: frame)
        default: self = try PixelConverter().convert(frame, path: path)
        }
    }
}
