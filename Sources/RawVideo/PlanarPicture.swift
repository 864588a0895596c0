extension BT709 {
    /// Writes Y', Cb and Cr of an RGB picture, chroma halved both ways, as H.264 expects it: sited
    /// beside the left luma column (weights 1, 2, 1) and between two rows.
    ///
    /// `rgb` is [height, width, 3] with even extents; planes are rows of `strides` bytes.
    package func write420(
        _ rgb: UnsafePointer<UInt8>, height: Int, width: Int,
        planes: [UnsafeMutablePointer<UInt8>], strides: [Int]
    ) {
        precondition(bits == 8 && height % 2 == 0 && width % 2 == 0)
        for y in 0..<height {
            let row = rgb + y * width * 3
            let output = planes[0] + y * strides[0]
            for x in 0..<width {
                output[x] = UInt8(
                    truncatingIfNeeded: luma(
                        Int32(row[3 * x]), Int32(row[3 * x + 1]), Int32(row[3 * x + 2])))
            }
        }
        for y in 0..<height / 2 {
            let upper = rgb + 2 * y * width * 3
            let lower = upper + width * 3
            let blue = planes[1] + y * strides[1]
            let red = planes[2] + y * strides[2]
            for x in 0..<width / 2 {
                let centre = 6 * x
                let left = max(centre - 3, 0)
                let right = centre + 3
                /// The weighted sum of six samples of a channel: 8 times their mean.
                func sum(_ channel: Int) -> Int32 {
                    Int32(upper[left + channel]) + Int32(lower[left + channel])
                        + 2 * (Int32(upper[centre + channel]) + Int32(lower[centre + channel]))
                        + Int32(upper[right + channel]) + Int32(lower[right + channel])
                }
                let (cb, cr) = chroma(sum(0), sum(1), sum(2), shift: 3)
                blue[x] = UInt8(truncatingIfNeeded: cb)
                red[x] = UInt8(truncatingIfNeeded: cr)
            }
        }
    }
}
