import Synchronization
import Tensors

/// A matrix [rows, columns] in a narrow type, with a float32 scale for each row: element = number * scale.
struct ScaledRows {
    /// The numbers.
    let elements: HeapBytes
    /// [rows]
    let scales: [Float]
    /// ‖stored - exact‖ / ‖exact‖.
    let relativeError: Double

    /// Stores the rows that `source` gives, several at a time and on several threads at once, so that the largest of each
    /// becomes the largest number of the type. A row of zeros has the scale 1.
    init(
        shape: Shape, precision: PreparedPrecision,
        rows source: (@Sendable (Range<Int>, UnsafeBufferPointer<Float>) -> Void) throws -> Void
    ) throws {
        guard let largest = precision.largest else {
            preconditionFailure("\(precision) has no scales")
        }
        let columns = shape[1]
        let elements = HeapBytes(count: shape.elementCount)
        let sums = Mutex((scales: [Float](repeating: 1, count: shape[0]), lost: 0.0, all: 0.0))
        try source { range, floats in
            var scales: [Float] = []
            var (lost, all) = (0.0, 0.0)
            for (index, row) in range.enumerated() {
                let values = UnsafeBufferPointer(
                    rebasing: floats[index * columns..<(index + 1) * columns])
                let target = elements.start + row * columns
                let scale = Self.scale(of: values, largest: largest)
                let (rowLost, rowAll) = Self.store(values, scale, precision, at: target)
                scales.append(scale)
                lost += rowLost
                all += rowAll
            }
            sums.withLock {
                $0.scales.replaceSubrange(range, with: scales)
                $0.lost += lost
                $0.all += all
            }
        }
        self.elements = elements
        (scales, relativeError) = sums.withLock {
            ($0.scales, $0.all == 0 ? 0 : ($0.lost / $0.all).squareRoot())
        }
    }

    private static func scale(of row: UnsafeBufferPointer<Float>, largest: Float) -> Float {
        var maximum: Float = 0
        for value in row { maximum = max(maximum, value.magnitude) }
        return maximum == 0 ? 1 : max(maximum / largest, .leastNormalMagnitude)
    }

    /// Stores a row; the squared lengths of what was lost and of the row.
    private static func store(
        _ row: UnsafeBufferPointer<Float>, _ scale: Float, _ precision: PreparedPrecision,
        at target: UnsafeMutableRawPointer
    ) -> (lost: Double, all: Double) {
        var (lost, all): (Float, Float) = (0, 0)
        for (index, value) in row.enumerated() {
            let stored: Float
            if precision == .fp8 {
                let number = Float8E4M3(value / scale)
                target.storeBytes(of: number, toByteOffset: index, as: Float8E4M3.self)
                stored = Float(number) * scale
            } else {
                let number = Int8((value / scale).rounded(.toNearestOrEven))
                target.storeBytes(of: number, toByteOffset: index, as: Int8.self)
                stored = Float(number) * scale
            }
            lost += (stored - value) * (stored - value)
            all += value * value
        }
        return (Double(lost), Double(all))
    }
}
