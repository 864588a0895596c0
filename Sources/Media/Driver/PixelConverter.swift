import CLibAV

/// Decoded pictures of any format to 8-bit RGB through libswscale, by the matrix and range that the
/// picture is tagged with.
final class PixelConverter {
    private var context: OpaquePointer?

    init() { _ = MediaLog.silenceByDefault }

    deinit { sws_freeContext(context) }

    /// Converts a frame; frames of one converter may change size and format. Throws `MediaError`.
    func convert(_ frame: Frame, path: String) throws(MediaError) -> Image {
        try prepare(for: frame, path: path)
        var status: Int32 = 0
        let image = Image(height: frame.height, width: frame.width) { output in
            var planes: [UnsafeMutablePointer<UInt8>?] = [output.baseAddress]
            var strides = [Int32(frame.width * Image.channels)]
            let sources = (0..<4).map { index in
                frame.pointer.pointee.extended_data[index].map { UnsafePointer($0) }
            }
            let sourceStrides = (0..<4).map { Int32(frame.stride($0)) }
            status = sws_scale(
                context, sources, sourceStrides, 0, Int32(frame.height), &planes, &strides)
        }
        try LibAV.check(status, "convert the pixels of", path)
        return image
    }

    private func prepare(for frame: Frame, path: String) throws(MediaError) {
        let size = (Int32(frame.width), Int32(frame.height))
        // Full chroma resolution, exact rounding, the same on every processor.
        let flags = SWS_BICUBIC | Int32(SWS_FULL_CHR_H_INT) | SWS_ACCURATE_RND | SWS_BITEXACT
        context = sws_getCachedContext(
            context, size.0, size.1, frame.pixelFormat, size.0, size.1, AV_PIX_FMT_RGB24,
            Int32(flags), nil, nil, nil)
        guard context != nil else {
            throw MediaError("convert the pixels of", path, "libswscale does not know their format")
        }
        let matrix = sws_getCoefficients(Self.matrix(of: frame))
        let isFull: Int32 = frame.pointer.pointee.color_range == AVCOL_RANGE_JPEG ? 1 : 0
        // Has no say for formats that are RGB already; its status tells just that.
        _ = sws_setColorspaceDetails(
            context, matrix, isFull, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16)
    }

    /// The tagged matrix; untagged video is BT.709 from 720 rows on, as players assume.
    private static func matrix(of frame: Frame) -> Int32 {
        switch frame.pointer.pointee.colorspace {
        case AVCOL_SPC_BT709: SWS_CS_ITU709
        case AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M: SWS_CS_ITU601
        case AVCOL_SPC_SMPTE240M: SWS_CS_SMPTE240M
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL: SWS_CS_BT2020
        case AVCOL_SPC_FCC: SWS_CS_FCC
        default: frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601
        }
    }
}
