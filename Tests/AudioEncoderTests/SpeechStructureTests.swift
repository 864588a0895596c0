import AudioEncoder
import Checkpoints
import Compute
import Tensors
import TestSupport
import Testing

/// The encoder's shape, seen on a device that computes nothing.
@Suite struct SpeechStructureTests {
    @Test func asksForExactlyThePublishedTensors() throws {
        let weights = try RealSpeechModel.weights()
        _ = SpeechEncoder(weights, configuration: RealSpeechModel.configuration)
        #expect(try weights.finish(strict: true).isEmpty)
    }

    @Test func recordsThePublishedModelsForward() throws {
        let encoder = SpeechEncoder(
            try RealSpeechModel.weights(), configuration: RealSpeechModel.configuration)
        let device = RecordingDevice(activationType: .bfloat16)
        try encoder.load(on: device)
        // Two seconds: 99 steps, 50 frames of speech of which the last ones come after the last step.
        let speech = SpeechSamples([Float](repeating: 0, count: 32_000))
        let schedule = try encoder.schedule(samples: speech.count, fps: 25, clipFrames: 48)
        #expect(schedule.steps == 99)
        var frames: [Range<Int>] = []
        try encoder.encode(
            speech, schedule: schedule, window: encoder.standardWindow, on: device
        ) { range, rows in
            frames.append(range)
            #expect(rows.count == range.count * 25 * 1024)
        }
        // Frame 49 would take the first place after the 59 resampled steps.
        #expect(frames == [0..<48, 48..<49, 49..<96])

        let records = device.records.map(\.description)
        #expect(Array(records.prefix(Self.start.count)) == Self.start)
        let counts = Dictionary(grouping: device.records, by: \.operation).mapValues(\.count)
        #expect(counts["attention"] == 24)
        #expect(counts["linear"] == 1 + 24 * 6)
        #expect(counts["layerNorm"] == 7 + 1 + 24 * 2 + 1)
        #expect(counts["convolution"] == 7 + 1)
        #expect(counts["gather"] == 2 * 25)
        #expect(records.contains(Self.attention))
        #expect(device.records.last?.output.hasPrefix("float32") == true)
    }

    /// The first operations: convolutions, projection, positional convolution.
    private static let start = """
        copy(float32[31760]) -> bfloat16[31760]
        convolution(bfloat16[31760, 1, 1, 1], bfloat16[512, 1, 10, 1, 1], float32[512]) -> bfloat16[6351, 1, 1, 512]
        layerNorm(bfloat16[6351, 512], float32[512], float32[512]) -> bfloat16[6351, 512]
        activate(bfloat16[6351, 512]) -> bfloat16[6351, 512]
        convolution(bfloat16[6351, 1, 1, 512], bfloat16[512, 512, 3, 1, 1], float32[512]) -> bfloat16[3175, 1, 1, 512]
        layerNorm(bfloat16[3175, 512], float32[512], float32[512]) -> bfloat16[3175, 512]
        activate(bfloat16[3175, 512]) -> bfloat16[3175, 512]
        convolution(bfloat16[3175, 1, 1, 512], bfloat16[512, 512, 3, 1, 1], float32[512]) -> bfloat16[1587, 1, 1, 512]
        layerNorm(bfloat16[1587, 512], float32[512], float32[512]) -> bfloat16[1587, 512]
        activate(bfloat16[1587, 512]) -> bfloat16[1587, 512]
        convolution(bfloat16[1587, 1, 1, 512], bfloat16[512, 512, 3, 1, 1], float32[512]) -> bfloat16[793, 1, 1, 512]
        layerNorm(bfloat16[793, 512], float32[512], float32[512]) -> bfloat16[793, 512]
        activate(bfloat16[793, 512]) -> bfloat16[793, 512]
        convolution(bfloat16[793, 1, 1, 512], bfloat16[512, 512, 3, 1, 1], float32[512]) -> bfloat16[396, 1, 1, 512]
        layerNorm(bfloat16[396, 512], float32[512], float32[512]) -> bfloat16[396, 512]
        activate(bfloat16[396, 512]) -> bfloat16[396, 512]
        convolution(bfloat16[396, 1, 1, 512], bfloat16[512, 512, 2, 1, 1], float32[512]) -> bfloat16[198, 1, 1, 512]
        layerNorm(bfloat16[198, 512], float32[512], float32[512]) -> bfloat16[198, 512]
        activate(bfloat16[198, 512]) -> bfloat16[198, 512]
        convolution(bfloat16[198, 1, 1, 512], bfloat16[512, 512, 2, 1, 1], float32[512]) -> bfloat16[99, 1, 1, 512]
        layerNorm(bfloat16[99, 512], float32[512], float32[512]) -> bfloat16[99, 512]
        activate(bfloat16[99, 512]) -> bfloat16[99, 512]
        layerNorm(bfloat16[99, 512], float32[512], float32[512]) -> bfloat16[99, 512]
        linear(bfloat16[99, 512], bfloat16[1024, 512], float32[1024]) -> float32[99, 1024]
        copy(float32[99, 1024]) -> bfloat16[99, 1024]
        convolution(bfloat16[99, 1, 1, 1024], bfloat16[1024, 64, 128, 1, 1], float32[1024]) -> bfloat16[99, 1, 1, 1024]
        activate(bfloat16[99, 1, 1, 1024]) -> bfloat16[99, 1, 1, 1024]
        add(float32[99, 1024], bfloat16[99, 1024]) -> float32[99, 1024]
        """.split(separator: "\n").map(String.init)

    private static let attention = """
        attention(bfloat16[1, 99, 16, 64], bfloat16[1, 99, 16, 64], bfloat16[1, 99, 16, 64]) \
        -> bfloat16[1, 99, 16, 64]
        """

    @Test func acceptsBothNamesOfTheWeightNorm() throws {
        let prefix = "wav2vec2.encoder.pos_conv_embed.conv."
        let newer = [
            prefix + "weight_g": prefix + "parametrizations.weight.original0",
            prefix + "weight_v": prefix + "parametrizations.weight.original1",
        ]
        let tensors = try RealSpeechModel.checkpoint().tensors.map {
            TensorDescriptor(
                name: newer[$0.name] ?? $0.name, dataType: $0.dataType, shape: $0.shape)
        }
        let renamed = try DeclaredCheckpoint(path: "newer.safetensors", tensors: tensors)
        let weights = WeightBinder(renamed)
        _ = SpeechEncoder(weights, configuration: RealSpeechModel.configuration)
        #expect(try weights.finish(strict: true).isEmpty)
    }

    @Test func namesEveryAlteredWeight() throws {
        let folder = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let configuration = try Wav2Vec2Configuration(
            ConfigurationFile(path: folder.audioEncoderConfigurationPath()))
        let checkpoint = try folder.audioEncoder()
        let used = try DeclaredCheckpoint(
            path: checkpoint.path,
            tensors: checkpoint.tensors.filter {
                !$0.name.hasPrefix("lm_head.") && !$0.name.hasSuffix("masked_spec_embed")
            })
        let unnoticed = try unnoticedAlterations(of: used) {
            let weights = WeightBinder($0)
            _ = SpeechEncoder(weights, configuration: configuration)
            _ = try weights.finish(strict: false)
        }
        #expect(unnoticed == [])
    }

    @Test func reportsAndStopsBetweenLayers() throws {
        struct Stop: Error {}
        let encoder = SpeechEncoder(
            try RealSpeechModel.weights(), configuration: RealSpeechModel.configuration)
        let device = RecordingDevice()
        try encoder.load(on: device)
        let speech = SpeechSamples([Float](repeating: 0, count: 32_000))
        let schedule = try encoder.schedule(samples: speech.count, fps: 25, clipFrames: 48)
        var reports: [Progress] = []
        #expect(throws: Stop.self) {
            try encoder.encode(
                speech, schedule: schedule, window: encoder.standardWindow, on: device,
                monitor: {
                    reports.append($0)
                    if $0.completed == 2 { throw Stop() }
                }, into: { _, _ in Issue.record("no rows are due yet") })
        }
        #expect(reports.first == Progress("samples", completed: 32_000, total: 32_000))
        #expect(reports.last == Progress("layers", completed: 2, total: 24))
        #expect(device.records.filter { $0.operation == "attention" }.count == 2)
        encoder.unload()
        #expect(device.allocatedBytes == 0)
    }

    @Test(arguments: [DataType.float32, .bfloat16], [2 << 30, 3 << 30])
    func fillsButKeepsAMemoryLimit(activationType: DataType, limit: Int) throws {
        let encoder = SpeechEncoder(
            try RealSpeechModel.weights(), configuration: RealSpeechModel.configuration)
        let device = RecordingDevice(activationType: activationType)
        let window = try encoder.window(
            memoryLimit: limit, fps: 25, activationType: activationType)
        try encoder.load(on: device)
        // A recording of twelve windows, so that every kind of window is met.
        let samples = encoder.configuration.samples(of: 0..<window.length * 12).upperBound
        let speech = SpeechSamples(count: samples) { [Float](repeating: 0, count: $0.count) }
        let schedule = try encoder.schedule(samples: samples, fps: 25, clipFrames: 48)
        try encoder.encode(speech, schedule: schedule, window: window, on: device) { _, _ in }
        #expect(device.peakBytes <= limit)
        #expect(device.peakBytes > limit / 100 * 95)
    }

    @Test func refusesAMemoryLimitBelowTheWeights() throws {
        let encoder = SpeechEncoder(
            try RealSpeechModel.weights(), configuration: RealSpeechModel.configuration)
        let error = #expect(throws: WindowMemoryTooSmall.self) {
            try encoder.window(memoryLimit: 1 << 30, fps: 25, activationType: .float32)
        }
        let needed = try #require(error).needed
        _ = try encoder.window(memoryLimit: needed, fps: 25, activationType: .float32)
    }
}
