import AudioEncoder
import ComputeCPU
import Tensors
import TestSupport
import Testing

/// The tiny checkpoint with bfloat16 weights and activations, where the processor multiplies them.
@Suite(.enabled(if: CPUDevice.isSupported(.bfloat16))) struct SpeechBFloat16Tests {
    /// Observed: 0.047 of values up to 7.0.
    @Test func staysNearFloat32() throws {
        let goldens = try TensorFile(path: Fixtures.path("open/goldens/audio_encoder.safetensors"))
        let encoder = try TinySpeechModel.encoder()
        let device = try CPUDevice(activationType: .bfloat16)
        try encoder.load(on: device)
        let speech = SpeechSamples(try goldens.tensor("speech_16k_mono.load").floats())
        let schedule = try encoder.schedule(samples: speech.count, fps: 25, clipFrames: 48)
        let rows = try RowCollector.rows(
            encoder, speech, schedule, window: encoder.standardWindow, on: device)
        let expected = try goldens.tensor("speech_16k_mono.bucket_fps25_f48").floats()
        let difference = largestDifference(rows, expected)
        #expect(difference < 0.1, "\(difference)")
    }
}
