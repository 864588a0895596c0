import AudioEncoder
import Compute
import ComputeCPU
import TestSupport
import Testing

/// A model of other sizes against a float64 implementation, so that nothing rests on one set of sizes.
@Suite struct SpeechReferenceTests {
    /// Observed: 4.0e-6 at most.
    @Test(arguments: [4, 5, 16]) func agreesWithFloat64(positionalKernel: Int) throws {
        let small = SmallSpeechModel.configuration
        let sizes = Wav2Vec2Configuration(
            convolutions: small.convolutions, hasConvolutionBias: positionalKernel != 5,
            hiddenSize: small.hiddenSize, intermediateSize: small.intermediateSize,
            layers: small.layers, heads: small.heads, positionalKernel: positionalKernel,
            positionalGroups: small.positionalGroups, layerNormEpsilon: small.layerNormEpsilon)
        let weights = SmallSpeechModel.weights(sizes)
        let samples = Speech.samples(count: 4_000, seed: 3)
        let reference = ReferenceWav2Vec2(weights: weights, sizes: sizes)
            .states(samples.map { Double($0) })

        let encoder = SpeechEncoder(weights, configuration: sizes)
        let device = try CPUDevice()
        try encoder.load(on: device)
        let states = try Speech.states(of: samples, encoder, on: device)
        #expect(states.count == reference.count)
        for (index, state) in states.enumerated() {
            let expected = reference[index].flatMap { $0.map { Float($0) } }
            let difference = largestDifference(state, expected)
            #expect(difference <= 5e-5, "state \(index): \(difference)")
        }
    }

    /// Rows between steps, by the formula. Observed: 3.6e-7.
    @Test func placesRowsBetweenSteps() throws {
        let weights = SmallSpeechModel.weights()
        let encoder = SpeechEncoder(weights, configuration: SmallSpeechModel.configuration)
        let device = try CPUDevice()
        try encoder.load(on: device)
        let samples = Speech.samples(count: 30_000, seed: 4)
        let states = try Speech.states(of: samples, encoder, on: device)
        let schedule = try encoder.schedule(samples: samples.count, fps: 25, clipFrames: 12)
        let rows = try RowCollector.rows(
            encoder, SpeechSamples(samples), schedule, window: encoder.standardWindow, on: device)

        let dim = encoder.configuration.hiddenSize
        let resampled = Int(Double(schedule.steps) * 48 / 16_000 * 30)
        var expected: [Float] = []
        for frame in 0..<schedule.frames {
            let index = Int((Double(frame) * 30 / 25).rounded(.toNearestOrEven))
            for state in states {
                guard index < resampled else {
                    expected += [Float](repeating: 0, count: dim)
                    continue
                }
                // Places are float32 in the released code, which shows this far from the start.
                let place = Float(index) * (Float(schedule.steps - 1) / Float(resampled - 1))
                let lower = min(Int(place), schedule.steps - 2)
                let part = place - Float(lower)
                expected += (0..<dim).map {
                    (1 - part) * state[lower * dim + $0] + part * state[(lower + 1) * dim + $0]
                }
            }
        }
        let difference = largestDifference(rows, expected)
        #expect(difference <= 5e-5, "\(difference)")
    }
}
