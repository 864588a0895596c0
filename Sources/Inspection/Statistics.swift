import Tensors

/// What a tensor's numbers are like, computed in float64; truth values count as 0 and 1.
///
/// Minimum, maximum, mean and deviation are those of the finite numbers, nil where there are none.
public struct Statistics: Equatable, Sendable {
    /// All elements.
    public private(set) var count = 0
    /// Elements that are zero, of either sign.
    public private(set) var zeros = 0
    /// Elements that are not a number.
    public private(set) var nans = 0
    /// Elements that are infinite, of either sign.
    public private(set) var infinities = 0
    /// The flat row-major index of the first element that is not finite.
    public private(set) var firstNonFinite: Int?
    /// The smallest number.
    public private(set) var minimum: Double?
    /// The largest number.
    public private(set) var maximum: Double?
    /// The mean of the numbers.
    public private(set) var mean: Double?
    /// Sum of the squared distances from the mean.
    private var squares = 0.0

    /// The statistics of no elements.
    init() {}

    /// Elements that are finite numbers.
    private var finite: Int { count - nans - infinities }

    /// The standard deviation of all numbers (divided by their number, not by one less).
    public var deviation: Double? {
        mean == nil ? nil : (squares / Double(finite)).squareRoot()
    }
}

extension Statistics {
    /// Reads a tensor once, in pieces.
    public init(of tensor: TensorView) {
        let pieces = TensorScan.chunks(of: tensor.shape.elementCount) { range in
            let piece = Statistics(of: tensor.doubles(range), from: range.lowerBound)
            tensor.release(range)
            return piece
        }
        self = pieces.reduce(into: Statistics()) { $0.add($1) }
    }

    /// The statistics of some values, of which the first has the index `start`: two passes over what
    /// lies in the cache.
    init(of values: [Double], from start: Int = 0) {
        count = values.count
        var (least, greatest, sum) = (Double.infinity, -Double.infinity, 0.0)
        for value in values {
            if value == 0 { zeros += 1 }
            guard value.isFinite else { continue }
            least = Double.minimum(least, value)
            greatest = Double.maximum(greatest, value)
            sum += value
        }
        countNonFinite(values, from: start)
        guard finite > 0 else { return }
        let center = sum / Double(finite)
        for value in values where value.isFinite {
            squares += (value - center) * (value - center)
        }
        (minimum, maximum, mean) = (least, greatest, center)
    }

    private mutating func countNonFinite(_ values: [Double], from start: Int) {
        guard let first = values.firstIndex(where: { !$0.isFinite }) else { return }
        firstNonFinite = start + first
        nans = values.count(where: \.isNaN)
        infinities = values.count(where: \.isInfinite)
    }

    /// Adds the elements that follow.
    ///
    /// Source of the combined mean and squares: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating
    /// Formulae and a Pairwise Algorithm for Computing Sample Variances", STAN-CS-79-773, 2.1.
    mutating func add(_ other: Statistics) {
        if let mean, let otherMean = other.mean {
            let (mine, others) = (Double(finite), Double(other.finite))
            let gap = otherMean - mean
            self.mean = mean + gap * (others / (mine + others))
            squares += other.squares + gap * gap * (mine * others / (mine + others))
        } else {
            mean = mean ?? other.mean
            squares += other.squares
        }
        minimum = [minimum, other.minimum].compactMap { $0 }.min()
        maximum = [maximum, other.maximum].compactMap { $0 }.max()
        firstNonFinite = firstNonFinite ?? other.firstNonFinite
        count += other.count
        zeros += other.zeros
        nans += other.nans
        infinities += other.infinities
    }
}
