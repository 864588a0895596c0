import CLibAV

extension Image {
    /// Full-range BT.601 planes of a JPEG, with libjpeg's chroma upsampling and its fixed-point
    /// colour conversion.
    ///
    /// Source: `ycc_rgb_convert` in
    /// https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.0.4/jdcolor.c
    init(jpeg frame: Frame) {
        let height = frame.height
        let width = frame.width
        let luma = frame.plane(0)
        let lumaStride = frame.stride(0)
        let blue = JPEGChroma(frame, plane: 1)
        let red = JPEGChroma(frame, plane: 2)
        self.init(height: height, width: width) { output in
            var index = 0
            for y in 0..<height {
                let blueRow = blue.row(y)
                let redRow = red.row(y)
                for x in 0..<width {
                    let (r, g, b) = Self.rgb(
                        luma: Int(luma[y * lumaStride + x]), blue: Int(blueRow[x]) - 128,
                        red: Int(redRow[x]) - 128)
                    output[index] = UInt8(clamping: r)
                    output[index + 1] = UInt8(clamping: g)
                    output[index + 2] = UInt8(clamping: b)
                    index += 3
                }
            }
        }
    }

    /// JFIF's conversion in 16-bit fixed point: 1.402, 0.34414, 0.71414 and 1.772, rounded.
    private static func rgb(luma: Int, blue: Int, red: Int) -> (Int, Int, Int) {
        let half = 1 << 15
        return (
            luma + (91881 * red + half) >> 16,
            luma + (-22554 * blue - 46802 * red + half) >> 16,
            luma + (116130 * blue + half) >> 16
        )
    }
}

/// A chroma plane of a JPEG at full size, a row at a time.
///
/// Twice as many columns or rows by a triangle filter, other factors by repetition. Source:
/// `h2v1_fancy_upsample`, `h2v2_fancy_upsample`, `h1v2_fancy_upsample` in
/// https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.0.4/jdsample.c
private struct JPEGChroma {
    private let plane: UnsafeMutablePointer<UInt8>
    private let stride: Int
    private let height: Int
    private let width: Int
    private let horizontal: Int
    private let vertical: Int
    /// Below three columns libjpeg repeats samples where it would halve columns.
    private var isSmooth: Bool { horizontal == 2 ? width > 2 : horizontal == 1 }

    init(_ frame: Frame, plane index: Int) {
        var log2Horizontal: Int32 = 0
        var log2Vertical: Int32 = 0
        av_pix_fmt_get_chroma_sub_sample(frame.pixelFormat, &log2Horizontal, &log2Vertical)
        plane = frame.plane(index)
        stride = frame.stride(index)
        horizontal = 1 << Int(log2Horizontal)
        vertical = 1 << Int(log2Vertical)
        height = (frame.height + vertical - 1) / vertical
        width = (frame.width + horizontal - 1) / horizontal
    }

    /// The row beside row `y` of the luma plane, at least as wide.
    func row(_ y: Int) -> [UInt8] {
        let near = plane + y / vertical * stride
        guard isSmooth, vertical <= 2 else { return repeated(near) }
        guard vertical == 2 else {
            return horizontal == 1 ? repeated(near) : doubled((0..<width).map { Int(near[$0]) }, 1)
        }
        let neighbour = max(0, min(height - 1, y / 2 + (y % 2 == 0 ? -1 : 1)))
        let far = plane + neighbour * stride
        let sums = (0..<width).map { 3 * Int(near[$0]) + Int(far[$0]) }
        return horizontal == 2 ? doubled(sums, 4) : sums.map { UInt8(($0 + 1 + y % 2) >> 2) }
    }

    /// Each sample as often as the luma plane has columns for it.
    private func repeated(_ row: UnsafeMutablePointer<UInt8>) -> [UInt8] {
        (0..<width * horizontal).map { row[$0 / horizontal] }
    }

    /// Twice as many columns: three parts of the nearer column, one of the farther. `unit` is the
    /// weight that the samples already carry; rounding alternates as libjpeg's does.
    private func doubled(_ sums: [Int], _ unit: Int) -> [UInt8] {
        let total = 4 * unit
        let (even, odd) = unit == 1 ? (1, 2) : (8, 7)
        var row = [UInt8](repeating: 0, count: 2 * width)
        for x in 0..<width {
            let left = sums[max(x - 1, 0)]
            let right = sums[min(x + 1, width - 1)]
            row[2 * x] = UInt8((3 * sums[x] + left + even) / total)
            row[2 * x + 1] = UInt8((3 * sums[x] + right + odd) / total)
        }
        return row
    }
}
