import AudioEncoder
import Compute
import Tensors

extension GoldenCase {
    /// Contexts of prompts. Observed in float32 on the CPU: 2.1e-6, the longest 4.0e-6.
    public static let text =
        ["ascii", "chinese", "special_tokens"].map { prompt in
            GoldenCase("text/\(prompt)", within: 1e-5) { folder, device in
                let goldens = try folder.file("text_encoder")
                let context = try folder.textEncoder().encode(
                    folder.tokens(ofClass: prompt), on: device)
                var comparison = Comparison()
                comparison.add(
                    try device.floats(context), try goldens.tensor("\(prompt).context").floats())
                return comparison
            }
        } + [longestText]

    /// Of 512 tokens, the first and the last eight.
    private static let longestText = GoldenCase("text/long", within: 1e-5) { folder, device in
        let encoder = try folder.textEncoder()
        let context = try device.floats(
            encoder.encode(folder.tokens(ofClass: "long"), on: device))
        let edge = 8 * encoder.sizes.dim
        var comparison = Comparison()
        comparison.add(
            Array(context.prefix(edge) + context.suffix(edge)),
            try folder.file("text_encoder").tensor("long.context_first8_last8").floats())
        return comparison
    }

    /// Hidden states, and rows of frames. Observed in float32 on the CPU: 3.9e-6 and 3.0e-6.
    public static let audio =
        ["speech_16k_mono", "speech_44k_stereo"].map { recording in
            GoldenCase("audio/states of \(recording)", within: 5e-5) { folder, device in
                try hiddenStates(of: recording, folder, device)
            }
        }
        + [
            ("speech_16k_mono", 25.0, 48), ("speech_16k_mono", 16, 40),
            ("speech_44k_stereo", 25, 48),
        ].map { recording, fps, clipFrames in
            let name = "\(recording).bucket_fps\(Int(fps))_f\(clipFrames)"
            return GoldenCase("audio/\(name)", within: 5e-5) { folder, device in
                let goldens = try folder.file("audio_encoder")
                let encoder = try folder.speechEncoder(on: device)
                let speech = SpeechSamples(try goldens.tensor("\(recording).load").floats())
                var rows: [Float] = []
                try encoder.encode(
                    speech,
                    schedule: encoder.schedule(
                        samples: speech.count, fps: fps, clipFrames: clipFrames),
                    window: encoder.standardWindow, on: device, into: { rows += $1 })
                var comparison = Comparison()
                comparison.add(rows, try goldens.tensor(name).floats())
                return comparison
            }
        }

    /// All hidden states of a recording; of the stereo one only the first steps are there.
    private static func hiddenStates(
        of recording: String, _ folder: GoldenFolder, _ device: any Device
    ) throws -> Comparison {
        let goldens = try folder.file("audio_encoder")
        let encoder = try folder.speechEncoder(on: device)
        let loaded = try goldens.tensor("\(recording).load").floats()
        let samples = try SampleStatistics(of: SpeechSamples(loaded)) { _, _ in }
            .normalize(loaded)
        let golden = try goldens.tensor("\(recording).hidden_states")
        let x = try encoder.network.project(
            0..<encoder.configuration.steps(samples: samples.count),
            samples: { Array(samples[$0]) }, on: device, monitor: {})
        var hidden: [Float] = []
        try encoder.network.transform(x, on: device) { _, state in
            hidden += try device.floats(state).prefix(golden.shape[1] * state.shape[1])
        }
        var comparison = Comparison()
        comparison.add(hidden, golden.floats())
        return comparison
    }
}
