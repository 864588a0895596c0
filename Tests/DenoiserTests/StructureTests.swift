import Checkpoints
import Compute
import Denoiser
import Layers
import Tensors
import TestSupport
import Testing

/// The published 14B model on a device that only records: it asks for exactly the published
/// tensors, and one forward has the right shapes at several sizes.
@Suite struct StructureTests {
    /// The published configuration, section "dit_config" of the shapes' file.
    static let published = DenoiserConfiguration(
        dim: 5120, feedForward: 13824, heads: 40, layers: 40, frequency: 256, latentChannels: 16,
        textTokens: 512, audioDim: 1024, audioTokens: 4,
        audioLayers: [0, 4, 8, 12, 16, 20, 24, 27, 30, 33, 36, 39], epsilon: 1e-6)

    func transformer() throws -> (CausalTransformer, WeightBinder) {
        let weights = WeightBinder(
            try DeclaredCheckpoint(
                shapes: Fixtures.path("real-14B-shapes.json"), section: "dit", dataType: .bfloat16))
        return (
            try CausalTransformer(WeightScope(weights), configuration: Self.published), weights
        )
    }

    @Test func asksForExactlyThePublishedTensors() throws {
        let (transformer, weights) = try transformer()
        #expect(try weights.finish(strict: true) == [])
        #expect(transformer.textDim == 4096)
        #expect(transformer.audioLayerCount == 25)
        #expect(transformer.parameters.flatMap(\.paths).count == 1260)
    }

    @Test func namesEveryAlteredWeight() throws {
        let folder = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let configuration = try DenoiserConfiguration(
            ConfigurationFile(path: folder.denoiserConfigurationPath()))
        let unnoticed = try unnoticedAlterations(of: folder.denoiser()) {
            let weights = WeightBinder($0)
            _ = try CausalTransformer(WeightScope(weights), configuration: configuration)
            _ = try weights.finish(strict: false)
        }
        #expect(unnoticed == [])
    }

    @Test(arguments: [(704, 384), (384, 256), (704, 1280)])
    func shapesOfOneForward(width: Int, height: Int) throws {
        let device = RecordingDevice(activationType: .bfloat16)
        let grid = LatentGrid(height: height / 8, width: width / 8, clipFrames: 12)
        let (weightBytes, velocity) = try pass(on: device, grid: grid) { device.removeRecords() }
        #expect(velocity.values.count == 16 * 3 * grid.height * grid.width)
        checkAttention(device.records, grid: grid)
        // At most this many launches, if every operation is one kernel.
        #expect(device.records.count <= 1000)
        // Weights, windows and conditioning are what a forward needs; activations add little.
        let window = 40 * 2 * (grid.conditioningTokens + grid.windowTokens) * 5120 * 2
        #expect(device.peakBytes > weightBytes + window)
        #expect(device.peakBytes < (weightBytes + window) * 23 / 20)
    }

    /// Values of 8 bits lie in tiles where a card wants that and conditioning and blocks are whole tiles; nothing else touches them then but what
    /// writes them and attention.
    @Test(arguments: [(704, 384, true), (384, 256, true), (640, 352, false), (496, 272, false)])
    func valuesInTiles(width: Int, height: Int, areTiled: Bool) throws {
        let device = RecordingDevice(
            activationType: .bfloat16, matrixType: .float8E4M3, workspaces: .card(.hopper))
        let grid = LatentGrid(height: height / 8, width: width / 8, clipFrames: 12)
        _ = try pass(on: device, grid: grid, windowType: .float8E4M3)
        func count(_ operation: String, _ isTiled: (RecordingDevice.Record) -> Bool) -> Int {
            device.records.count { $0.operation == operation && isTiled($0) }
        }
        func isWritten(_ record: RecordingDevice.Record) -> Bool {
            record.output.hasSuffix(" in tiles")
        }
        func isRead(_ record: RecordingDevice.Record) -> Bool {
            record.inputs.contains { $0.hasSuffix(" in tiles") }
        }
        let expected = areTiled ? 40 : 0
        // The conditioning's, the block's, and over the window.
        #expect(count("copy", isWritten) == expected && count("linear", isWritten) == expected)
        #expect(count("attention", isRead) == expected)
        #expect(device.records.count(where: isWritten) == 2 * expected)
        #expect(device.records.count(where: isRead) == expected)
    }

    /// Takes the conditioning and one block through the model. `prefilled` is called between them. Returns the bytes of the
    /// weights, too.
    private func pass(
        on device: RecordingDevice, grid: LatentGrid, windowType: DataType? = nil,
        prefilled: () -> Void = {}
    ) throws -> (weightBytes: Int, velocity: Latents) {
        let (transformer, weights) = try transformer()
        _ = try weights.finish(strict: true)
        try transformer.load(on: device)
        let weightBytes = device.allocatedBytes
        let branch = try transformer.branch(
            context: [Float](repeating: 0, count: 3 * 4096), steps: 1, grid: grid,
            windowType: windowType, on: device)
        func latents(_ frames: Int) -> Latents {
            Latents(channels: 16, frames: frames, height: grid.height, width: grid.width)
        }
        try transformer.prefill(
            branch, reference: latents(1), motion: latents(19), grid: grid, on: device)
        let audio = try transformer.audioCondition(
            [[Float](repeating: 0, count: 12 * 25 * 1024)], on: device)
        prefilled()
        let velocity = try transformer.velocity(
            of: NoisyBlock(
                latents: latents(3), frame: 15, timestep: 1000, window: 0, sinkDistance: 7),
            audio: audio, masks: nil, branch: branch, grid: grid, on: device)
        return (weightBytes, velocity)
    }

    private func checkAttention(_ records: [RecordingDevice.Record], grid: LatentGrid) {
        let attention = records.filter { $0.operation == "attention" }
        let tokens = grid.blockTokens
        let keys = grid.conditioningTokens + grid.windowTokens
        let overWindow = attention.filter {
            $0.inputs[0] == "bfloat16[1, \(tokens), 40, 128]"
                && $0.inputs[1] == "bfloat16[1, \(keys), 40, 128]"
        }
        let overText = attention.filter { $0.inputs[1] == "bfloat16[1, 512, 40, 128]" }
        let overAudio = attention.filter {
            $0.inputs[0] == "bfloat16[3, \(grid.frameTokens), 40, 128]"
                && $0.inputs[1] == "bfloat16[3, 5, 40, 128]"
        }
        #expect(overWindow.count == 40)
        #expect(overText.count == 40)
        #expect(overAudio.count == 12)
        #expect(attention.count == 92)
        // Of the conditioning only the reference is turned anew for each pass.
        let turned = records.filter { $0.operation == "rotate" }
        #expect(turned.count == 40)
        #expect(
            turned.allSatisfy { $0.output == "bfloat16[\(grid.frameTokens), 40, 128]" })
        let expansions = records.filter {
            $0.operation == "linear" && $0.output == "bfloat16[\(tokens), 13824]"
        }
        #expect(expansions.count == 40)
    }
}
