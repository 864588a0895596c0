/// How well one series follows another, and how late.
struct Correlation {
    /// Pearson's coefficient, -1...1, as they lie; 0 if one of them does not vary.
    let unshifted: Double
    /// The largest coefficient when the first is shifted.
    let best: Double
    /// By how many elements it is then late; negative if early.
    let lag: Int

    /// Compares two series over the length of the shorter, and shifted by up to `reach`.
    init(of values: some Collection<Double>, with others: some Collection<Double>, reach: Int) {
        let count = min(values.count, others.count)
        let (values, others) = (Array(values.prefix(count)), Array(others.prefix(count)))
        let reach = min(reach, max(0, count - 2))
        let shifted = (-reach...reach).map { lag in
            let late = max(0, lag)
            let early = max(0, -lag)
            return (
                lag: lag,
                value: Self.coefficient(
                    values[late..<count - early], others[early..<count - late])
            )
        }
        unshifted = shifted[reach].value
        let largest = shifted.max { $0.value < $1.value } ?? shifted[reach]
        (best, lag) = (largest.value, largest.lag)
    }

    /// Pearson's coefficient of two series of the same length.
    private static func coefficient(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
        let count = Double(a.count)
        guard count > 0 else { return 0 }
        let (meanA, meanB) = (a.reduce(0, +) / count, b.reduce(0, +) / count)
        var (aa, bb, ab) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
            ab += (x - meanA) * (y - meanB)
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
    }
}
