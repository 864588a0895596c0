/// A picture in memory: rows from top to bottom, pixels from left to right, red, green and blue
/// beside each other.
public struct Raster<Element: BitwiseCopyable & Sendable & Equatable>: Sendable, Equatable {
    /// Rows.
    public let height: Int
    /// Columns.
    public let width: Int
    /// [height, width, 3], row-major.
    public let values: [Element]

    /// Values of a pixel.
    package static var channels: Int { 3 }

    /// A picture of these values; traps if their number does not fit.
    public init(height: Int, width: Int, values: [Element]) {
        precondition(height >= 0 && width >= 0 && values.count == height * width * Self.channels)
        self.height = height
        self.width = width
        self.values = values
    }

    /// A picture whose values `fill` sets completely.
    package init(
        height: Int, width: Int, fill: (UnsafeMutableBufferPointer<Element>) -> Void
    ) {
        let count = height * width * Self.channels
        self.init(
            height: height, width: width,
            values: [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
                fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                initialized = count
            })
    }
}

/// An 8-bit picture: sRGB as the file holds it, 0...255.
public typealias Image = Raster<UInt8>

/// A picture as the video autoencoder takes it: -1...1.
public typealias FloatImage = Raster<Float>

extension Raster<UInt8> {
    /// Most pixels of a picture that is decoded: 2^27, as 13,377 x 10,033. More is refused from the
    /// file's header, before any memory is taken for it.
    public static var pixelLimit: Int { 1 << 27 }

    /// value / 255 x 2 - 1, in float32 in this order, as the released code computes it.
    public var normalized: FloatImage {
        FloatImage(height: height, width: width) { output in
            for (index, value) in values.enumerated() {
                output[index] = Float(value) / 255 * 2 - 1
            }
        }
    }
}
