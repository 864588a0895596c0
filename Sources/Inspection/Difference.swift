import Tensors

/// How far a tensor is from another of the same shape, computed in float64.
///
/// A NaN or an infinity counts as no difference where the other has the same one, else as an
/// infinite difference.
public struct Difference: Equatable, Sendable {
    /// The largest |a - b|.
    public private(set) var maximum = 0.0
    /// Sum of (a - b)^2.
    private var squares = 0.0
    /// Sum of b^2 over the finite elements.
    private var reference = 0.0

    /// ||a - b|| / ||b|| in the Euclidean norm; 0 between equal tensors, infinite if only b is zero.
    public var relativeError: Double {
        if maximum == 0 { return 0 }
        return squares.isFinite && reference > 0 ? (squares / reference).squareRoot() : .infinity
    }

    /// Reads both tensors once, in pieces. Traps if their shapes differ.
    public init(of tensor: TensorView, from other: TensorView) {
        precondition(tensor.shape == other.shape)
        let pieces = TensorScan.chunks(of: tensor.shape.elementCount) { range in
            let piece = Difference(of: tensor.doubles(range), from: other.doubles(range))
            tensor.release(range)
            other.release(range)
            return piece
        }
        for piece in pieces {
            maximum = max(maximum, piece.maximum)
            squares += piece.squares
            reference += piece.reference
        }
    }

    private init(of values: [Double], from others: [Double]) {
        for (value, other) in zip(values, others) {
            if other.isFinite { reference += other * other }
            let gap = Self.gap(value, other)
            maximum = max(maximum, gap)
            squares += gap * gap
        }
    }

    /// |a - b|, with the rule for what is not finite.
    private static func gap(_ value: Double, _ other: Double) -> Double {
        if value == other { return 0 }
        let gap = abs(value - other)
        guard gap.isNaN else { return gap }
        return value.isNaN && other.isNaN ? 0 : .infinity
    }
}
