import AudioEncoder
import Testing

/// Mean and variance over hours, as exact as over seconds.
@Suite struct NormalizationTests {
    @Test func mergesPiecesExactly() throws {
        var whole = SampleStatistics()
        var pieces = SampleStatistics()
        let samples = Speech.samples(count: 10_000, seed: 1)
        whole.merge(samples)
        for start in stride(from: 0, to: samples.count, by: 333) {
            pieces.merge(Array(samples[start..<min(start + 333, samples.count)]))
        }
        pieces.merge([])
        #expect(abs(whole.mean - pieces.mean) < 1e-15)
        #expect(abs(whole.variance - pieces.variance) < 1e-15)
        let mean = samples.reduce(0) { $0 + Double($1) } / 10_000
        #expect(abs(whole.mean - mean) < 1e-15)
    }

    /// An hour with an offset a thousand times its variation: sums of squares in float32 would be lost.
    @Test func keepsDigitsOverAnHour() throws {
        let count = 16_000 * 3600
        let speech = SpeechSamples(count: count) { range in
            range.map { 0.5 + ($0 % 2 == 0 ? 0x1p-11 : -0x1p-11) }
        }
        var reads = 0
        let statistics = try SampleStatistics(of: speech) { read, all in
            reads += 1
            #expect(read <= count && all == count)
        }
        #expect(reads == (count + (1 << 20) - 1) >> 20)
        #expect(abs(statistics.mean - 0.5) < 1e-12)
        #expect(abs(statistics.variance - 0x1p-22) < 1e-15)
        // Alternating samples become -1 and 1, but for the epsilon.
        let expected = Float(0x1p-11 / (0x1p-22 + 1e-7).squareRoot())
        for sample in statistics.normalize(try speech.read(0..<4)) {
            #expect(abs(abs(sample) - expected) < 1e-6)
        }
    }

    @Test func silenceStaysSilent() throws {
        let statistics = try SampleStatistics(
            of: SpeechSamples([Float](repeating: 0, count: 800))
        ) { _, _ in }
        #expect(statistics.normalize([0, 0]) == [0, 0])
    }
}
