/// How a camera was held: the EXIF tag `Orientation`, 1...8.
///
/// Source: CIPA DC-008 (Exif 2.32), section 4.6.4.A, tag 274.
public enum Orientation: Int, Sendable {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case flipped = 4
    case transposed = 5
    /// The picture is turned clockwise by a quarter to stand upright.
    case clockwise = 6
    case transversed = 7
    /// The picture is turned counter-clockwise by a quarter to stand upright.
    case counterClockwise = 8

    /// Whether rows become columns.
    var swapsAxes: Bool { rawValue >= Self.transposed.rawValue }

    /// The orientation in an EXIF block, with or without its "Exif" prefix; nil if there is none.
    init?(exif bytes: UnsafeRawBufferPointer) {
        var block = Bytes(bytes)
        if block.matches("Exif\0\0", at: 0) { block = block.dropping(6) }
        let isLittle = block.matches("II", at: 0)
        guard isLittle || block.matches("MM", at: 0) else { return nil }
        func short(_ offset: Int) -> Int? {
            isLittle ? block.little16(offset) : block.big16(offset)
        }
        guard let directory = isLittle ? block.little32(4) : block.big32(4),
            let count = short(directory)
        else { return nil }
        for entry in 0..<count {
            let offset = directory + 2 + entry * 12
            guard let tag = short(offset), let value = short(offset + 8) else { return nil }
            if tag == 0x0112 {
                self.init(rawValue: value)
                return
            }
        }
        return nil
    }
}

extension Raster {
    /// The picture as it was seen, given how the camera was held.
    public func upright(from orientation: Orientation) -> Raster {
        if orientation == .upright { return self }
        let outputHeight = orientation.swapsAxes ? width : height
        let outputWidth = orientation.swapsAxes ? height : width
        return Raster(height: outputHeight, width: outputWidth) { output in
            var index = 0
            for y in 0..<outputHeight {
                for x in 0..<outputWidth {
                    let (row, column) = source(of: y, x, orientation)
                    let pixel = (row * width + column) * Self.channels
                    for channel in 0..<Self.channels {
                        output[index + channel] = values[pixel + channel]
                    }
                    index += Self.channels
                }
            }
        }
    }

    /// Where the upright picture's pixel (y, x) lies in this one.
    private func source(of y: Int, _ x: Int, _ orientation: Orientation) -> (Int, Int) {
        switch orientation {
        case .upright: (y, x)
        case .mirrored: (y, width - 1 - x)
        case .upsideDown: (height - 1 - y, width - 1 - x)
        case .flipped: (height - 1 - y, x)
        case .transposed: (x, y)
        case .clockwise: (height - 1 - x, y)
        case .transversed: (height - 1 - x, width - 1 - y)
        case .counterClockwise: (x, width - 1 - y)
        }
    }
}
