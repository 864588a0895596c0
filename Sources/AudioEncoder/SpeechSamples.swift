/// A mono recording at the model's sample rate, read by ranges so that hours need not be in memory.
public struct SpeechSamples {
    /// Number of samples.
    public let count: Int
    /// The samples of a range, in [-1, 1]; the range is within the recording.
    public let read: (Range<Int>) throws -> [Float]

    /// A recording of `count` samples that `read` gives by ranges, in any order and repeatedly.
    public init(count: Int, read: @escaping (Range<Int>) throws -> [Float]) {
        self.count = count
        self.read = read
    }

    /// A recording in memory.
    public init(_ samples: [Float]) {
        self.init(count: samples.count) { Array(samples[$0]) }
    }
}

/// Mean and variance of a whole recording, by which its samples are normalised.
///
/// One pass in double precision: each piece's own statistics are merged into the sum, so that neither
/// length nor an offset costs digits. Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise
/// algorithm for computing sample variances", 1979, equation 2.1.
package struct SampleStatistics {
    private(set) var count = 0.0
    package private(set) var mean = 0.0
    private var squaredDeviations = 0.0

    /// The population variance.
    package var variance: Double { count > 0 ? squaredDeviations / count : 0 }

    /// Added to the variance, as the released feature extractor does.
    static let epsilon = 1e-7
    /// Samples read at once.
    static let pieceSamples = 1 << 20

    /// The statistics of no samples.
    package init() {}

    /// The statistics of a recording; `monitor` hears of samples read and of all.
    package init(of speech: SpeechSamples, monitor: (Int, Int) throws -> Void) throws {
        for start in stride(from: 0, to: speech.count, by: Self.pieceSamples) {
            let end = min(start + Self.pieceSamples, speech.count)
            merge(try speech.read(start..<end))
            try monitor(end, speech.count)
        }
    }

    /// Takes more samples into account.
    package mutating func merge(_ samples: [Float]) {
        guard !samples.isEmpty else { return }
        let added = Double(samples.count)
        let addedMean = samples.reduce(0) { $0 + Double($1) } / added
        let addedSquares = samples.reduce(0) { sum, sample in
            let deviation = Double(sample) - addedMean
            return sum + deviation * deviation
        }
        let difference = addedMean - mean
        squaredDeviations +=
            addedSquares + difference * difference * count * added / (count + added)
        mean += difference * added / (count + added)
        count += added
    }

    /// (x - mean) / sqrt(variance + epsilon).
    package func normalize(_ samples: [Float]) -> [Float] {
        let scale = 1 / (variance + Self.epsilon).squareRoot()
        return samples.map { Float((Double($0) - mean) * scale) }
    }
}
