import CLibAV

extension Image {
    /// Limited-range BT.601 planes of a lossy WebP, halved both ways, with libwebp's chroma
    /// upsampling and its fixed-point colour conversion.
    ///
    /// Source: `VP8YUVToR`, `VP8YUVToG`, `VP8YUVToB` in
    /// https://github.com/webmproject/libwebp/blob/v1.4.0/src/dsp/yuv.h
    init(webp frame: Frame) {
        let hasAlpha = frame.pixelFormat == AV_PIX_FMT_YUVA420P
        let luma = frame.plane(0)
        let lumaStride = frame.stride(0)
        let blue = WebPChroma(frame, plane: 1)
        let red = WebPChroma(frame, plane: 2)
        self.init(height: frame.height, width: frame.width) { y, x in
            let luma = (Int(luma[y * lumaStride + x]) * 19077) >> 8
            let blue = blue.value(y, x)
            let red = red.value(y, x)
            func level(_ sum: Int) -> UInt8 { UInt8(clamping: sum >> 6) }
            return (
                level(luma + (red * 26149) >> 8 - 14234),
                level(luma - (blue * 6419) >> 8 - (red * 13320) >> 8 + 8708),
                level(luma + (blue * 33050) >> 8 - 17685),
                hasAlpha ? frame.plane(3)[y * frame.stride(3) + x] : 255
            )
        }
    }
}

/// A chroma plane of a WebP at full size.
///
/// Weights 9, 3, 3, 1 by distance, in two halvings whose rounding shows. Source: `UPSAMPLE_FUNC` in
/// https://github.com/webmproject/libwebp/blob/v1.4.0/src/dsp/upsampling.c
private struct WebPChroma {
    private let plane: UnsafeMutablePointer<UInt8>
    private let stride: Int
    private let height: Int
    private let width: Int

    init(_ frame: Frame, plane index: Int) {
        plane = frame.plane(index)
        stride = frame.stride(index)
        height = (frame.height + 1) / 2
        width = (frame.width + 1) / 2
    }

    /// The value beside luma sample (y, x).
    func value(_ y: Int, _ x: Int) -> Int {
        let near = plane + y / 2 * stride
        let far = plane + max(0, min(height - 1, y / 2 + (y % 2 == 0 ? -1 : 1))) * stride
        let column = x / 2
        let other = column + (x % 2 == 0 ? -1 : 1)
        guard other >= 0, other < width else {
            return (3 * Int(near[column]) + Int(far[column]) + 2) >> 2
        }
        let nearest = Int(near[column])
        let beside = Int(near[other])
        let above = Int(far[column])
        let opposite = Int(far[other])
        let diagonal = (nearest + 3 * beside + 3 * above + opposite + 8) >> 3
        return (diagonal + nearest) >> 1
    }
}
