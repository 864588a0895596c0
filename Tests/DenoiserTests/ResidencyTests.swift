import Compute
import ComputeCPU
import Denoiser
import Layers
import Tensors
import TestSupport
import Testing

/// Runs whose weights and windows are streamed, on a device whose memory is apart: the same bits as with everything resident.
@Suite struct ResidencyTests {
    private static let layers = 4
    private static let steps = 2
    private static let every = Set(0..<layers)
    private static let second: Set<Int> = [1, 3]

    private static let residencies = [
        DenoiserResidency(streamedLayers: every, streamedWindows: [every, every]),
        DenoiserResidency(
            streamedLayers: every, streamedWindows: [every, every], weightSlots: 3, windowSlots: 3
        ),
        DenoiserResidency(streamedLayers: second, streamedWindows: [second, every]),
        DenoiserResidency(streamedLayers: every),
        DenoiserResidency(streamedLayers: [2]),
        DenoiserResidency(streamedWindows: [every, every]),
        DenoiserResidency(streamedWindows: [[], every], windowSlots: 3),
        DenoiserResidency(streamedWindows: [[0], []]),
    ]

    /// Types of matrices and windows, beside activations in float32.
    struct Types: Sendable {
        var matrices: DataType?
        var windows: DataType?

        static let wide = Types()
        static let all = [
            wide, Types(windows: .float8E4M3), Types(matrices: .int8, windows: .float8E4M3),
            Types(matrices: .float8E4M3, windows: .float8E4M3),
        ]
    }

    /// A guided model of four small layers in clips of two blocks.
    private func model(
        _ residency: DenoiserResidency, _ types: Types = .wide, pace: ApartDevice.Pace,
        flaw: ApartDevice.Flaw? = nil
    ) throws -> SyntheticModel {
        var sizes = SyntheticSizes.smallest
        sizes.layers = Self.layers
        let device = ApartDevice(
            try CPUDevice(matrixType: types.matrices, threads: 1), pace: pace, flaw: flaw)
        var model = try SyntheticModel(
            sizes, height: 8, width: 8, on: device, residency: residency,
            windowType: types.windows)
        let context = [Float](model.conditions.context.reversed())
        model.conditions.guidance = .init(context: context, scale: 3)
        return model
    }

    /// Latents of six blocks, three clips, with everything resident.
    private func expectedBlocks(_ types: Types = .wide) throws -> [DenoisedBlock] {
        let model = try model(.resident, types, pace: .copiesFirst)
        let blocks = try model.run(model.sequence(), blocks: 6)
        let device = try #require(model.device as? ApartDevice)
        // Nothing travels, and nothing is waited for.
        #expect(device.markCount == 0 && device.fetchedBytes == 0 && device.storedBytes == 0)
        return blocks
    }

    @Test(arguments: residencies, Types.all)
    func sameBits(residency: DenoiserResidency, types: Types) throws {
        let expected = try expectedBlocks(types)
        for pace in [ApartDevice.Pace.copiesFirst, .copiesLast, .random(1), .random(2)] {
            let model = try model(residency, types, pace: pace)
            let found = try model.run(model.sequence(), blocks: 6)
            #expect(found.map(\.latents) == expected.map(\.latents), "\(pace)")
            #expect(found.map(\.stepInputs) == expected.map(\.stepInputs), "\(pace)")
        }
    }

    /// Waits that lack are seen in the latents.
    @Test(arguments: [
        (ApartDevice.Flaw.hastyOperations, ApartDevice.Pace.copiesLast),
        (.hastyFetches, .copiesFirst), (.hastyStores, .copiesFirst),
    ])
    func seesWaitsThatLack(flaw: ApartDevice.Flaw, pace: ApartDevice.Pace) throws {
        let expected = try expectedBlocks()
        let model = try model(Self.residencies[0], pace: pace, flaw: flaw)
        // Wrong bits may also be no numbers.
        let found = try? model.run(model.sequence(), blocks: 6).map(\.latents)
        #expect(found != expected.map(\.latents))
    }

    /// A fresh sequence that replayed what a block depends on goes on with the same bits, across the refresh too.
    @Test(arguments: residencies, Types.all)
    func replays(residency: DenoiserResidency, types: Types) throws {
        let expected = try expectedBlocks(types)
        let model = try model(residency, types, pace: .random(5))
        for index in [2, 5] {
            let sequence = try model.sequence()
            let needed = model.transformer.configuration.replayBlocks(on: model.grid)
            let refresh = { model.refresh(expected[0].latents) }
            for block in max(0, index - needed)..<index {
                try sequence.replay(
                    block, audio: model.sound(of: block),
                    stepInputs: [sequence.noise(of: block)] + expected[block].stepInputs,
                    refresh: refresh)
            }
            let found = try sequence.denoise(
                index, audio: model.sound(of: index), refresh: refresh)
            #expect(found.latents == expected[index].latents, "block \(index)")
        }
    }

    /// Two sequences share the steps and the streamed weights, each with windows of its own.
    @Test(arguments: Types.all) func rangesOfSteps(types: Types) throws {
        let expected = try expectedBlocks(types).map(\.latents)
        let model = try model(
            DenoiserResidency(streamedLayers: Self.every, streamedWindows: [Self.second]), types,
            pace: .random(6))
        let sequences = try [0..<1, 1..<2].map { try model.sequence(steps: $0) }
        let found = try model.run(through: sequences, blocks: 6)
        #expect(found == expected)
    }

    /// A block that was stopped in any layer is denoised again.
    @Test func goesOnAfterAStop() throws {
        struct Stop: Error {}
        let expected = try expectedBlocks().map(\.latents)
        let model = try model(Self.residencies[0], pace: .random(7))
        let sequence = try model.sequence()
        for index in 0..<4 {
            let refresh = { model.refresh(expected[0]) }
            for stop in [1, 3, 6, 11] {
                var reports = 0
                _ = try? sequence.denoise(
                    index, audio: model.sound(of: index), refresh: refresh
                ) { _ in
                    reports += 1
                    if reports == stop { throw Stop() }
                }
            }
            let found = try sequence.denoise(
                index, audio: model.sound(of: index), refresh: refresh)
            #expect(found.latents == expected[index], "block \(index)")
        }
    }

    // MARK: Bytes

    /// What travels in a block is what the layout says.
    @Test(arguments: [2, 3])
    func traffic(slots: Int) throws {
        let residency = DenoiserResidency(
            streamedLayers: Self.every, streamedWindows: [Self.second, Self.every],
            weightSlots: slots, windowSlots: slots)
        let model = try model(residency, pace: .random(8))
        let device = try #require(model.device as? ApartDevice)
        let sequence = try model.sequence()
        var first: Latents?
        func block(_ index: Int) throws -> (weights: LinkTraffic, windows: LinkTraffic) {
            let before = (model.transformer.weightTraffic, sequence.windowTraffic)
            let block = try sequence.denoise(
                index, audio: model.sound(of: index), refresh: { model.refresh(first) })
            first = first ?? block.latents
            return (
                model.transformer.weightTraffic - before.0, sequence.windowTraffic - before.1
            )
        }
        for index in 0..<3 { _ = try block(index) }
        let (weights, windows) = try block(3)
        let configuration = model.transformer.configuration
        let window = configuration.windowTraffic(on: model.grid, type: .float32)
        let uses = (Self.second.count + Self.every.count) * 2
        #expect(windows.fetched == uses * window.fetched)
        #expect(windows.stored == uses * window.stored)
        let bundles = Self.every.map {
            model.transformer.layerBundle($0, activations: .float32, matrices: .float32).byteCount
        }
        #expect(weights.fetched == bundles.reduce(0, +) * Self.steps * 2)
        #expect(weights.stored == 0)
        try device.synchronize()
        let all = [model.transformer.weightTraffic, sequence.windowTraffic]
        #expect(device.fetchedBytes == all.reduce(0) { $0 + $1.fetched })
        #expect(device.storedBytes == all.reduce(0) { $0 + $1.stored })
    }

    /// The first rows of a window's bytes by hand: keys and values of float32, each rounded up to 256 bytes.
    @Test func trafficByHand() throws {
        let model = try model(.resident, pace: .copiesFirst)
        let (grid, configuration) = (model.grid, model.transformer.configuration)
        #expect(grid.frameTokens == 16 && grid.blockTokens == 48 && grid.windowTokens == 96)
        let row = 12 * 4
        let tokens = grid.conditioningTokens + 96
        let bundle = configuration.windowBundle(on: grid, type: .float32)
        #expect(bundle.byteCount == 2 * ((tokens * row + 255) / 256 * 256))
        #expect(
            configuration.windowTraffic(on: grid, type: .float32)
                == LinkTraffic(
                    fetched: bundle.byteCount - (16 + 2 * 48) * row, stored: 2 * 48 * row))
    }

    // MARK: Memory

    @Test func needsMemoryThatIsApart() throws {
        #expect {
            _ = try SyntheticModel(.smallest, residency: .init(streamedLayers: [0]))
        } throws: {
            "\($0)" == "cpu does not offer memory that is streamed from the host"
        }
    }

    /// With 8-bit weights and windows too: what is on the device, at once and at most, and that shapes fit.
    @Test(arguments: [DataType.bfloat16, .float8E4M3])
    func memory(type: DataType) throws {
        func run(_ residency: DenoiserResidency) throws -> (peak: Int, held: Int) {
            let recording = RecordingDevice(activationType: .bfloat16, matrixType: type)
            let model = try SyntheticModel(
                height: 8, width: 8, on: ApartDevice(recording, pace: .random(9)),
                residency: residency, windowType: type)
            let loading = recording.peakBytes
            let sequence = try model.sequence()
            _ = try model.run(sequence, blocks: 3)
            try model.device.synchronize()
            return withExtendedLifetime((model, sequence)) { (loading, recording.allocatedBytes) }
        }
        let resident = try run(.resident)
        let model = try SyntheticModel(height: 8, width: 8)
        let layer = model.transformer.layerBundle(0, activations: .bfloat16, matrices: type)
        let weights = try run(DenoiserResidency(streamedLayers: Self.every))
        // Four layers give way to two slots; gaps between tensors are all that may be on top.
        let gaps = 256 * 24
        #expect(abs(resident.held - weights.held - 2 * layer.byteCount) < 4 * gaps)
        #expect(weights.peak <= resident.peak - layer.byteCount)
        let windows = try run(
            DenoiserResidency(streamedWindows: [Self.every, Self.every]))
        let window = model.transformer.configuration.windowBundle(on: model.grid, type: type)
        #expect(
            abs(resident.held - windows.held - (2 * Self.layers - 2) * window.byteCount)
                < 8 * 2 * 256)
    }

    /// What only the start needs is gone behind it, and comes back for the next sequence.
    @Test func letsGoOfWhatOnlyTheStartNeeds() throws {
        let device = RecordingDevice(activationType: .bfloat16)
        let model = try SyntheticModel(height: 8, width: 8, on: device)
        let loaded = device.allocatedBytes
        let start = model.transformer.startParameters
        try start.load(on: device)
        let bytes = device.allocatedBytes - loaded
        // Text embedding and 4 layers' keys and values in bfloat16, time in float32.
        let (dim, text, frequency) = (80, 28, 24)
        let matrices = dim * text + dim * dim + 4 * 2 * dim * dim
        let time = dim * frequency + dim * dim + 6 * dim * dim
        let vectors = 2 * dim + 4 * 3 * dim + (1 + 1 + 6) * dim
        #expect(bytes == 2 * matrices + 4 * (time + vectors))
        for _ in 0..<2 {
            let sequence = try model.sequence()
            #expect(sequence.positive.windows.count == 2)
            #expect(try device.allocatedBytes == loaded + kept(by: sequence, of: model))
        }
    }

    /// Bytes of a sequence's windows, texts, unturned keys, and of the modulations of three timesteps.
    private func kept(by sequence: LatentSequence, of model: SyntheticModel) throws -> Int {
        let (sizes, grid) = (model.sizes, model.grid)
        let window = 2 * (grid.conditioningTokens + grid.windowTokens) * sizes.dim * 2
        let layer =
            2 * window + 2 * sizes.textTokens * sizes.dim * 2
            + grid.frameTokens * sizes.dim * 2
        let modulations = 3 * (sizes.layers * 6 + 2) * sizes.dim * 4
        return sizes.layers * layer + modulations
    }
}

extension LinkTraffic {
    /// What was added since.
    fileprivate static func - (now: LinkTraffic, before: LinkTraffic) -> LinkTraffic {
        LinkTraffic(fetched: now.fetched - before.fetched, stored: now.stored - before.stored)
    }
}
