import CLibAV

/// Where the high bytes of a packed pixel's channels lie.
struct PackedLayout {
    /// Bytes from one pixel to the next.
    let step: Int
    /// Offsets of red, green and blue.
    let colours: (Int, Int, Int)
    /// Offset of the opacity, if the pixel has one.
    let alpha: Int?

    private init(_ step: Int, _ red: Int, _ green: Int, _ blue: Int, _ alpha: Int? = nil) {
        self.step = step
        colours = (red, green, blue)
        self.alpha = alpha
    }

    /// The layout of a libav format, or nil if it is not a packed one that images have.
    init?(_ format: AVPixelFormat) {
        switch format {
        case AV_PIX_FMT_RGB24: self.init(3, 0, 1, 2)
        case AV_PIX_FMT_BGR24: self.init(3, 2, 1, 0)
        case AV_PIX_FMT_RGBA: self.init(4, 0, 1, 2, 3)
        case AV_PIX_FMT_BGRA: self.init(4, 2, 1, 0, 3)
        case AV_PIX_FMT_ARGB: self.init(4, 1, 2, 3, 0)
        case AV_PIX_FMT_ABGR: self.init(4, 3, 2, 1, 0)
        case AV_PIX_FMT_RGB48BE: self.init(6, 0, 2, 4)
        case AV_PIX_FMT_RGB48LE: self.init(6, 1, 3, 5)
        case AV_PIX_FMT_RGBA64BE: self.init(8, 0, 2, 4, 6)
        case AV_PIX_FMT_RGBA64LE: self.init(8, 1, 3, 5, 7)
        case AV_PIX_FMT_GRAY8: self.init(1, 0, 0, 0)
        case AV_PIX_FMT_GRAY16BE: self.init(2, 0, 0, 0)
        case AV_PIX_FMT_GRAY16LE: self.init(2, 1, 1, 1)
        case AV_PIX_FMT_YA8: self.init(2, 0, 0, 0, 1)
        case AV_PIX_FMT_YA16BE: self.init(4, 0, 0, 0, 2)
        case AV_PIX_FMT_YA16LE: self.init(4, 1, 1, 1, 3)
        default: return nil
        }
    }
}

/// A channel value lying over black with an opacity, both 0...255, rounded to nearest.
private func overBlack(_ value: UInt8, _ alpha: UInt8) -> UInt8 {
    UInt8((Int(value) * Int(alpha) + 127) / 255)
}

extension Image {
    /// A picture whose pixel (y, x) is what `pixel` says, with its opacity.
    init(
        height: Int, width: Int,
        pixel: (_ y: Int, _ x: Int) -> (red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8)
    ) {
        self.init(height: height, width: width) { output in
            var index = 0
            for y in 0..<height {
                for x in 0..<width {
                    let (red, green, blue, alpha) = pixel(y, x)
                    output[index] = overBlack(red, alpha)
                    output[index + 1] = overBlack(green, alpha)
                    output[index + 2] = overBlack(blue, alpha)
                    index += 3
                }
            }
        }
    }

    /// Pixels whose channels lie beside each other.
    init(_ frame: Frame, _ layout: PackedLayout) {
        let plane = frame.plane(0)
        let stride = frame.stride(0)
        self.init(height: frame.height, width: frame.width) { y, x in
            let pixel = plane + y * stride + x * layout.step
            return (
                pixel[layout.colours.0], pixel[layout.colours.1], pixel[layout.colours.2],
                layout.alpha.map { pixel[$0] } ?? 255
            )
        }
    }

    /// Green, blue and red in planes of their own, then opacity.
    init(planes frame: Frame) {
        let hasAlpha = frame.pixelFormat == AV_PIX_FMT_GBRAP
        let planes = (0..<(hasAlpha ? 4 : 3)).map { (frame.plane($0), frame.stride($0)) }
        self.init(height: frame.height, width: frame.width) { y, x in
            func value(_ plane: Int) -> UInt8 { planes[plane].0[y * planes[plane].1 + x] }
            return (value(2), value(0), value(1), hasAlpha ? value(3) : 255)
        }
    }

    /// Indices into a palette of native-endian ARGB words.
    init(palette frame: Frame) {
        let indices = frame.plane(0)
        let stride = frame.stride(0)
        let words = UnsafeRawPointer(frame.plane(1))
        self.init(height: frame.height, width: frame.width) { y, x in
            let index = Int(indices[y * stride + x])
            let word = words.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
            return (
                UInt8(truncatingIfNeeded: word >> 16), UInt8(truncatingIfNeeded: word >> 8),
                UInt8(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 24)
            )
        }
    }

    /// One bit a pixel, the highest first; a set bit is the grey value `set`, a clear one the other.
    init(bits frame: Frame, set: UInt8) {
        let plane = frame.plane(0)
        let stride = frame.stride(0)
        self.init(height: frame.height, width: frame.width) { y, x in
            let isSet = plane[y * stride + x / 8] >> (7 - x % 8) & 1 == 1
            let grey = isSet ? set : 255 - set
            return (grey, grey, grey, 255)
        }
    }
}
