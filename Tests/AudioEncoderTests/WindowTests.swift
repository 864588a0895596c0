import AudioEncoder
import ComputeCPU
import Foundation
import TestSupport
import Testing

/// Recordings longer than a window.
@Suite struct WindowTests {
    /// A window, and how far it was seen to be from one pass: the largest and the root mean square
    /// difference, both over the root mean square of the rows.
    struct Observation {
        let seconds: Double
        let context: Double
        let largest: Double
        let typical: Double
    }

    /// The table in MODEL.md for two minutes of voice-like sound.
    private static let twoMinutes = [
        Observation(seconds: 4, context: 1, largest: 0.2428, typical: 0.02550),
        Observation(seconds: 10, context: 1, largest: 0.1142, typical: 0.01486),
        Observation(seconds: 10, context: 3, largest: 0.1437, typical: 0.01547),
        Observation(seconds: 20, context: 1, largest: 0.0584, typical: 0.00934),
        Observation(seconds: 20, context: 5, largest: 0.0651, typical: 0.01009),
        Observation(seconds: 40, context: 1, largest: 0.0399, typical: 0.00771),
        Observation(seconds: 40, context: 10, largest: 0.0388, typical: 0.00770),
        Observation(seconds: 80, context: 10, largest: 0.0199, typical: 0.00432),
    ]

    /// The same for ten minutes.
    private static let tenMinutes = [
        Observation(seconds: 20, context: 5, largest: 0.0687, typical: 0.01103),
        Observation(seconds: 75, context: 15, largest: 0.0376, typical: 0.00574),
        Observation(seconds: 150, context: 30, largest: 0.0267, typical: 0.00392),
        Observation(seconds: 300, context: 30, largest: 0.0147, typical: 0.00282),
    ]

    @Test func approximatesOnePassOverTwoMinutes() throws {
        try compareWithOnePass(minutes: 2, Self.twoMinutes)
    }

    /// Takes a minute, so only where AVATAR_LONG_TESTS is set.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["AVATAR_LONG_TESTS"] != nil))
    func approximatesOnePassOverTenMinutes() throws {
        try compareWithOnePass(minutes: 10, Self.tenMinutes)
    }

    private func compareWithOnePass(minutes: Int, _ observations: [Observation]) throws {
        let encoder = try TinySpeechModel.encoder()
        let device = try CPUDevice()
        try encoder.load(on: device)
        let speech = SpeechSamples(Speech.samples(count: 16_000 * 60 * minutes, seed: 8))
        let schedule = try encoder.schedule(samples: speech.count, fps: 25, clipFrames: 48)
        func rows(_ window: AttentionWindow) throws -> [Float] {
            try RowCollector.rows(encoder, speech, schedule, window: window, on: device)
        }
        let whole = try rows(AttentionWindow(length: schedule.steps, context: 1))
        let scale = rootMeanSquare(whole)
        for observed in observations {
            let windowed = try rows(
                AttentionWindow(
                    length: Int(observed.seconds * 50), context: Int(observed.context * 50)))
            let typical = rootMeanSquare(zip(whole, windowed).map { $0 - $1 }) / scale
            let largest = Double(largestDifference(whole, windowed)) / scale
            #expect(abs(largest - observed.largest) < 0.1 * observed.largest, "\(observed)")
            #expect(abs(typical - observed.typical) < 0.1 * observed.typical, "\(observed)")
        }
    }

    private func rootMeanSquare(_ values: [Float]) -> Double {
        (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
    }

    /// A window that the recording just fills is one pass; one step fewer is not.
    @Test func isExactUpToTheWindow() throws {
        let encoder = try TinySpeechModel.encoder()
        let device = try CPUDevice()
        try encoder.load(on: device)
        let speech = SpeechSamples(Speech.samples(count: 16_000 * 6, seed: 9))
        let schedule = try encoder.schedule(samples: speech.count, fps: 25, clipFrames: 48)
        let whole = try RowCollector.rows(
            encoder, speech, schedule, window: encoder.standardWindow, on: device)
        let fitting = AttentionWindow(length: schedule.steps, context: 20)
        #expect(
            try RowCollector.rows(encoder, speech, schedule, window: fitting, on: device) == whole)
        let shorter = AttentionWindow(length: schedule.steps - 1, context: 20)
        #expect(
            try RowCollector.rows(encoder, speech, schedule, window: shorter, on: device) != whole)
    }

    /// Without the parts that look far there is nothing to approximate: the first state differs only
    /// where the positional convolution reaches over the end of a window.
    @Test func contextHidesTheEndsFromTheFirstState() throws {
        let encoder = try TinySpeechModel.encoder()
        let device = try CPUDevice()
        try encoder.load(on: device)
        let speech = SpeechSamples(Speech.samples(count: 16_000 * 12, seed: 10))
        let schedule = try encoder.schedule(samples: speech.count, fps: 25, clipFrames: 48)
        let whole = try RowCollector.rows(
            encoder, speech, schedule, window: encoder.standardWindow, on: device)
        func firstStateDifference(context: Int) throws -> Float {
            let window = AttentionWindow(length: 150, context: context)
            let windowed = try RowCollector.rows(
                encoder, speech, schedule, window: window, on: device)
            let (states, dim) = (encoder.configuration.states, encoder.configuration.hiddenSize)
            return (0..<schedule.frames).reduce(0) { largest, frame in
                let row = frame * states * dim..<frame * states * dim + dim
                return max(largest, largestDifference(Array(whole[row]), Array(windowed[row])))
            }
        }
        let reach = encoder.configuration.positionalKernel / 2
        #expect(try firstStateDifference(context: reach + 1) < 1e-5)
        #expect(try firstStateDifference(context: 1) > 1e-3)
    }
}
