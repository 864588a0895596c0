/// The weights that resize one axis bilinearly, widened when shrinking so that every input counts.
///
/// Source: `precompute_coeffs` in
/// https://github.com/python-pillow/Pillow/blob/11.0.0/src/libImaging/Resample.c
struct TriangleFilter {
    /// For each output its first input.
    let starts: [Int]
    /// For each output its weights, which sum to 1.
    let weights: [[Double]]

    /// The filter from one extent to another, both positive.
    init(from inputs: Int, to outputs: Int) {
        let scale = Double(inputs) / Double(outputs)
        let width = max(scale, 1)
        var starts: [Int] = []
        var weights: [[Double]] = []
        for output in 0..<outputs {
            let centre = (Double(output) + 0.5) * scale
            let start = max(0, Int(centre - width + 0.5))
            let end = min(inputs, Int(centre + width + 0.5))
            let taps = (start..<end).map { input in
                max(0, 1 - abs((Double(input) - centre + 0.5) / width))
            }
            let sum = taps.reduce(0, +)
            starts.append(start)
            weights.append(taps.map { $0 / sum })
        }
        self.starts = starts
        self.weights = weights
    }
}

extension Raster {
    /// The picture at another size by Pillow's bilinear filter: columns first, then rows; an axis
    /// whose extent does not change is not touched. Traps unless all extents are positive.
    ///
    /// 8-bit pictures are rounded after each axis in 22-bit fixed point, exactly as Pillow does;
    /// floating-point ones are not rounded, as in torchvision's resize of tensors with antialiasing.
    public func resized(height newHeight: Int, width newWidth: Int) -> Raster
    where Element: Resampled {
        precondition(height > 0 && width > 0 && newHeight > 0 && newWidth > 0)
        var raster = self
        if newWidth != width { raster = raster.resizedColumns(newWidth) }
        if newHeight != height { raster = raster.resizedRows(newHeight) }
        return raster
    }

    private func resizedColumns(_ newWidth: Int) -> Raster where Element: Resampled {
        let filter = TriangleFilter(from: width, to: newWidth)
        let weights = filter.weights.map { $0.map(Element.weight) }
        let channels = Self.channels
        return Raster(height: height, width: newWidth) { output in
            values.withUnsafeBufferPointer { input in
                for y in 0..<height {
                    for x in 0..<newWidth {
                        let first = (y * width + filter.starts[x]) * channels
                        for channel in 0..<channels {
                            output[(y * newWidth + x) * channels + channel] = Element.sum(
                                input, from: first + channel, step: channels, weights[x])
                        }
                    }
                }
            }
        }
    }

    private func resizedRows(_ newHeight: Int) -> Raster where Element: Resampled {
        let filter = TriangleFilter(from: height, to: newHeight)
        let weights = filter.weights.map { $0.map(Element.weight) }
        let rowLength = width * Self.channels
        return Raster(height: newHeight, width: width) { output in
            values.withUnsafeBufferPointer { input in
                for y in 0..<newHeight {
                    let first = filter.starts[y] * rowLength
                    for column in 0..<rowLength {
                        output[y * rowLength + column] = Element.sum(
                            input, from: first + column, step: rowLength, weights[y])
                    }
                }
            }
        }
    }
}

/// A pixel value that a filter can weigh and sum.
public protocol Resampled: BitwiseCopyable, Equatable, Sendable {
    /// The number that a weight in 0...1 is multiplied as.
    associatedtype Weight

    /// The weight as this type uses it.
    static func weight(_ weight: Double) -> Weight
    /// The weighted sum of every `step`-th value from `first` on, rounded as this type needs.
    static func sum(
        _ values: UnsafeBufferPointer<Self>, from first: Int, step: Int, _ weights: [Weight]
    ) -> Self
}

extension UInt8: Resampled {
    /// Bits behind the point, Pillow's `PRECISION_BITS`: 32 less 8 for the value and 2 for the sum.
    private static let fractionBits = 22

    public static func weight(_ weight: Double) -> Int {
        Int(weight * Double(1 << fractionBits) + 0.5)
    }

    public static func sum(
        _ values: UnsafeBufferPointer<UInt8>, from first: Int, step: Int, _ weights: [Int]
    ) -> UInt8 {
        var sum = 1 << (fractionBits - 1)
        for (tap, weight) in weights.enumerated() {
            sum += Int(values[first + tap * step]) * weight
        }
        return UInt8(clamping: sum >> fractionBits)
    }
}

extension Float: Resampled {
    public static func weight(_ weight: Double) -> Float { Float(weight) }

    public static func sum(
        _ values: UnsafeBufferPointer<Float>, from first: Int, step: Int, _ weights: [Float]
    ) -> Float {
        var sum: Float = 0
        for (tap, weight) in weights.enumerated() {
            sum += values[first + tap * step] * weight
        }
        return sum
    }
}
