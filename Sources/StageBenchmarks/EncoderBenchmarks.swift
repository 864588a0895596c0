import AudioEncoder
import Compute
import Tensors
import TextEncoder

/// The longest prompt through the text encoder, its weights kept on the device.
final class TextBenchmark: StageBenchmark {
    let weights: SyntheticWeights
    private let encoder: UMT5Encoder
    private let tokens: [Int32]

    init(_ subject: BenchmarkSubject) throws {
        weights = SyntheticWeights(.bfloat16, sizes: subject.sizes.textShapes)
        encoder = try UMT5Encoder(weights)
        let largest = Float(encoder.sizes.vocabulary - 1)
        var numbers = RandomNumbers(seed: 1)
        tokens = (0..<subject.sizes.denoiser.textTokens).map { _ in
            Int32((numbers.next() + 1) / 2 * largest)
        }
    }

    /// The encoder loads each layer as it comes to it.
    func load(on device: any Device) throws {
        _ = try encoder.encode([1], on: device, keepingWeights: true)
    }

    /// The table of embeddings stays on the host.
    var loadedBytes: Int {
        let table = weights.tensors.first { $0.name == "token_embedding.weight" }
        return weights.bytesRead - (table?.byteCount ?? 0)
    }

    func prepare(on device: any Device) throws -> [TimedWork] {
        [
            TimedWork("prompt of \(tokens.count) tokens") { [encoder, tokens] in
                _ = try encoder.encode(tokens, on: device, keepingWeights: true)
            }
        ]
    }
}

/// A recording through the audio encoder, to the rows of its video frames.
final class SpeechBenchmark: StageBenchmark {
    let weights: SyntheticWeights
    private let encoder: SpeechEncoder
    private let seconds: Double

    init(_ subject: BenchmarkSubject) {
        weights = SyntheticWeights(.float32, sizes: [:])
        encoder = SpeechEncoder(weights, configuration: subject.sizes.speech)
        seconds = subject.seconds
    }

    func load(on device: any Device) throws { try encoder.load(on: device) }

    func prepare(on device: any Device) throws -> [TimedWork] {
        let count = Int(seconds * Double(Wav2Vec2Configuration.sampleRate))
        let speech = SpeechSamples(RandomNumbers.floats(count, seed: 1).map { $0 / 4 })
        let schedule = try encoder.schedule(samples: count, fps: 25, clipFrames: 48)
        return [
            TimedWork("recording of \(seconds) s") { [encoder] in
                try encoder.encode(
                    speech, schedule: schedule, window: encoder.standardWindow, on: device,
                    into: { _, _ in })
            }
        ]
    }
}
