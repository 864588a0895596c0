/// The directions in which vectors vary most.
struct PrincipalComponents {
    /// The mean vector.
    let mean: [Double]
    /// Unit vectors, the one with the largest variance first; each one's largest element is positive.
    let directions: [[Double]]
    /// The standard deviation along each direction.
    let deviations: [Double]

    /// Analyses vectors of `width` numbers; those with one that is not finite are left out.
    ///
    /// The covariance matrix is diagonalised, see `SymmetricMatrix`.
    init(of vectors: some Sequence<[Double]>, width: Int, count: Int) {
        var sum = [Double](repeating: 0, count: width)
        var products = [Double](repeating: 0, count: width * width)
        var finite = 0.0
        for vector in vectors where vector.allSatisfy(\.isFinite) {
            finite += 1
            for row in 0..<width {
                sum[row] += vector[row]
                for column in 0...row {
                    products[row * width + column] += vector[row] * vector[column]
                }
            }
        }
        let total = max(finite, 1)
        let mean = sum.map { $0 / total }
        var covariance = SymmetricMatrix(width: width) { row, column in
            let (low, high) = (min(row, column), max(row, column))
            return products[high * width + low] / total - mean[row] * mean[column]
        }
        covariance.diagonalise()
        let order = (0..<width).sorted { covariance[$0, $0] > covariance[$1, $1] }.prefix(count)
        self.mean = mean
        directions = order.map { Self.oriented(covariance.vector($0)) }
        deviations = order.map { max(0, covariance[$0, $0]).squareRoot() }
    }

    /// A vector or its opposite, so that its largest element is positive.
    private static func oriented(_ vector: [Double]) -> [Double] {
        let largest = vector.max { abs($0) < abs($1) } ?? 0
        return largest < 0 ? vector.map { -$0 } : vector
    }

    /// A vector's coordinate along each direction, in standard deviations of the first.
    func coordinates(_ vector: [Double]) -> [Double] {
        let unit = deviations.first ?? 0
        return directions.map { direction in
            let distance = zip(zip(vector, mean), direction).reduce(0) {
                $0 + ($1.0.0 - $1.0.1) * $1.1
            }
            return unit > 0 ? distance / unit : 0
        }
    }
}

/// A small symmetric matrix, to be diagonalised.
struct SymmetricMatrix {
    /// Rows, and columns.
    let width: Int
    private var elements: [Double]
    private var vectors: [Double]

    /// A matrix of these elements.
    init(width: Int, _ element: (Int, Int) -> Double) {
        self.width = width
        elements = (0..<width * width).map { element($0 / width, $0 % width) }
        vectors = (0..<width * width).map { $0 / width == $0 % width ? 1 : 0 }
    }

    /// An element.
    private(set) subscript(row: Int, column: Int) -> Double {
        get { elements[row * width + column] }
        set { elements[row * width + column] = newValue }
    }

    /// The eigenvector in a column, once diagonalised.
    func vector(_ column: Int) -> [Double] { (0..<width).map { vectors[$0 * width + column] } }

    /// Turns the matrix until it is diagonal: the eigenvalues stay on the diagonal.
    ///
    /// Source: the cyclic Jacobi method, G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th
    /// edition, algorithm 8.5.3.
    mutating func diagonalise() {
        let sweeps = 30
        for _ in 0..<sweeps {
            var rest = 0.0
            for row in 0..<width {
                for column in row + 1..<max(width, row + 1) {
                    rest = max(rest, abs(self[row, column]))
                    rotate(row, column)
                }
            }
            if rest == 0 { return }
        }
    }

    /// Makes one element off the diagonal zero.
    private mutating func rotate(_ p: Int, _ q: Int) {
        guard abs(self[p, q]) > .leastNormalMagnitude else {
            self[p, q] = 0
            self[q, p] = 0
            return
        }
        let slope = (self[q, q] - self[p, p]) / (2 * self[p, q])
        let tangent =
            (slope >= 0 ? 1.0 : -1.0) / (abs(slope) + (1 + slope * slope).squareRoot())
        let cosine = 1 / (1 + tangent * tangent).squareRoot()
        let sine = tangent * cosine
        for k in 0..<width {
            let (a, b) = (self[k, p], self[k, q])
            self[k, p] = cosine * a - sine * b
            self[k, q] = sine * a + cosine * b
        }
        for k in 0..<width {
            let (a, b) = (self[p, k], self[q, k])
            self[p, k] = cosine * a - sine * b
            self[q, k] = sine * a + cosine * b
            let (c, d) = (vectors[k * width + p], vectors[k * width + q])
            vectors[k * width + p] = cosine * c - sine * d
            vectors[k * width + q] = sine * c + cosine * d
        }
        // What rounding leaves.
        self[p, q] = 0
        self[q, p] = 0
    }
}
