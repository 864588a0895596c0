import AudioEncoder
import Compute
import Foundation
import TestSupport

/// Recordings made by formula, and the model's states of them.
enum Speech {
    /// A voice-like sound: pulses at a changing pitch through syllables of changing loudness, and noise.
    static func samples(count: Int, seed: UInt64) -> [Float] {
        var random = SplitMix(state: seed)
        var phase = 0.0
        var (pitch, loudness, target) = (120.0, 0.0, 0.5)
        return (0..<count).map { index in
            if index % 2400 == 0 {
                target = Double(random.normal()).magnitude * 0.3
                pitch = 120 + 40 * Double(random.normal())
            }
            loudness += (target - loudness) * 0.002
            phase += pitch / Double(Wav2Vec2Configuration.sampleRate)
            let voice = exp(-6 * phase.truncatingRemainder(dividingBy: 1)) * sin(40 * phase)
            return Float(loudness * voice) + 0.003 * random.normal()
        }
    }

    /// All hidden states of a recording in one pass, each [steps * dim].
    static func states(
        of samples: [Float], _ encoder: SpeechEncoder, on device: any Device
    ) throws -> [[Float]] {
        let speech = SpeechSamples(samples)
        let statistics = try SampleStatistics(of: speech) { _, _ in }
        let x = try encoder.network.project(
            0..<encoder.configuration.steps(samples: samples.count),
            samples: { statistics.normalize(try speech.read($0)) }, on: device, monitor: {})
        var states: [[Float]] = []
        try encoder.network.transform(x, on: device) { _, state in
            states.append(try device.floats(state))
        }
        return states
    }
}
