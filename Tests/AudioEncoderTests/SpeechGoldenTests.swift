import AudioEncoder
import Compute
import ComputeCPU
import Tensors
import TestSupport
import Testing

/// The parts of the tiny checkpoint against what the released code makes of it (audio_encoder.safetensors). Hidden states
/// and rows of frames are cases of Conformance.
@Suite struct SpeechGoldenTests {
    private let goldens: TensorFile
    private let encoder: SpeechEncoder
    private let device: CPUDevice

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/audio_encoder.safetensors"))
        encoder = try TinySpeechModel.encoder()
        device = try CPUDevice()
        try encoder.load(on: device)
    }

    private func golden(_ name: String) throws -> [Float] { try goldens.tensor(name).floats() }

    private func normalized(_ recording: String) throws -> [Float] {
        let samples = try golden("\(recording).load")
        return try SampleStatistics(of: SpeechSamples(samples)) { _, _ in }.normalize(samples)
    }

    /// Observed: 2.4e-7.
    @Test func normalizationAgrees() throws {
        let difference = try largestDifference(
            normalized("speech_16k_mono"), golden("speech_16k_mono.input_values"))
        #expect(difference <= 1e-5, "\(difference)")
    }

    /// Observed: features 1.5e-6, projection 2.1e-6, positional convolution 2.0e-6.
    @Test func stagesAgree() throws {
        let name = "speech_16k_mono"
        let samples = try golden("\(name).input_values")
        let features = try encoder.network.extractor.features(
            device.tensor(samples, [samples.count]), on: device)
        let (steps, channels) = (features.shape[0], features.shape[1])
        let channelsFirst = try device.floats(device.permuted(features, axes: [1, 0]))
        try check(channelsFirst, "\(name).conv_features")
        #expect(try goldens.tensor("\(name).conv_features").shape == [1, channels, steps])

        let projected = try encoder.network.project(
            0..<steps, samples: { Array(samples[$0]) }, on: device, monitor: {})
        try check(device.floats(projected), "\(name).feature_projection")
        let positions = try encoder.network.positions(projected, on: device)
        try check(device.floats(positions), "\(name).pos_conv_embed")
    }

    /// At 30 frames a second every resampled step is a frame. Observed: 2.3e-6.
    @Test func resampledStatesAgree() throws {
        let speech = SpeechSamples(try golden("speech_16k_mono.load"))
        let schedule = try encoder.schedule(samples: speech.count, fps: 30, clipFrames: 1)
        let rows = try RowCollector.rows(
            encoder, speech, schedule, window: encoder.standardWindow, on: device)
        let shape = try goldens.tensor("speech_16k_mono.interp30").shape
        let framesFirst = try device.tensor(
            Array(rows.prefix(shape.elementCount)), [shape[1], shape[0], shape[2]])
        try check(
            device.floats(device.permuted(framesFirst, axes: [1, 0, 2])),
            "speech_16k_mono.interp30")
    }

    private func check(
        _ values: [Float], _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let difference = try largestDifference(values, golden(name))
        #expect(difference <= 5e-5, "\(name): \(difference)", sourceLocation: sourceLocation)
    }
}
