import Checkpoints
import Compute
import ComputeCPU
import Denoiser
import Layers
import Tensors
import TestSupport

/// A checkpoint that nobody published, loaded from its shards, with conditions drawn at random.
struct SyntheticModel {
    let checkpoint: SyntheticCheckpoint
    let device: any Device
    let residency: DenoiserResidency
    /// The type of windows, nil for that of activations.
    let windowType: DataType?
    let transformer: CausalTransformer
    let grid: LatentGrid
    var conditions: DenoisingConditions
    var sizes: SyntheticSizes { checkpoint.sizes }

    /// A model of these sizes for latents of a size, by default of odd sides in tokens, and clips
    /// of two blocks; on the processor unless said.
    init(
        _ sizes: SyntheticSizes = SyntheticSizes(), height: Int = 10, width: Int = 18,
        clipFrames: Int = 6, on device: (any Device)? = nil,
        residency: DenoiserResidency = .resident, windowType: DataType? = nil
    ) throws {
        checkpoint = SyntheticCheckpoint(sizes)
        let folder = TemporaryFolder()
        try checkpoint.write(to: folder.path)
        let weights = try WeightFolder(path: folder.path)
        let binder = WeightBinder(try weights.denoiser())
        transformer = try CausalTransformer(
            WeightScope(binder),
            configuration: DenoiserConfiguration(
                ConfigurationFile(path: weights.denoiserConfigurationPath())))
        _ = try binder.finish(strict: true)
        self.device = try device ?? CPUDevice(threads: 1)
        self.residency = residency
        self.windowType = windowType
        try transformer.load(on: self.device, residency: residency)
        grid = LatentGrid(height: height, width: width, clipFrames: clipFrames)
        var random = NormalNumbers(seed: 2)
        conditions = DenoisingConditions(
            context: random.floats(7 * sizes.textDim),
            sink: SinkLatents(
                reference: random.latents(sizes.channels, 1, grid),
                motion: random.latents(sizes.channels, 19, grid)))
    }

    /// The noise of a clip.
    func noise(_ clip: Int) -> Latents {
        var random = NormalNumbers(seed: 100 + UInt64(clip))
        return random.latents(sizes.channels, grid.clipFrames, grid)
    }

    /// The sound of block `index` for each actor.
    func sound(of index: Int, actors: Int = 1) -> [[Float]] {
        var random = NormalNumbers(seed: 1000 + UInt64(index))
        return (0..<actors).map { _ in
            random.floats(
                DenoiserConfiguration.blockVideoFrames * sizes.audioLayers * sizes.audioDim)
        }
    }

    /// Far enough for the reference to roll in the second clip.
    func sinkDistance(_ clip: Int, _ block: Int, _ step: Int) -> Int {
        28 + (clip + block + step) % 3
    }

    /// A sequence with this noise and these distances.
    func sequence(
        _ schedule: FlowSchedule = FlowSchedule(solver: .euler, steps: 2),
        steps: Range<Int>? = nil
    ) throws -> LatentSequence {
        try LatentSequence(
            transformer: transformer, conditions: conditions,
            randomness: DenoisingRandomness(
                noise: { noise($0) }, sinkDistance: { sinkDistance($0, $1, $2) }),
            grid: grid, schedule: schedule, steps: steps, windowType: windowType,
            residency: residency, on: device)
    }

    /// What the streaming recipe refreshes the conditioning with.
    func refresh(_ first: Latents?) -> SinkLatents? {
        first.map {
            SinkLatents(reference: $0.frames(0..<1), motion: conditions.sink.motion)
        }
    }

    /// So many blocks of a sequence from the start.
    func run(_ sequence: LatentSequence, blocks: Int) throws -> [DenoisedBlock] {
        var done: [DenoisedBlock] = []
        for index in 0..<blocks {
            done.append(
                try sequence.denoise(
                    index, audio: sound(of: index), refresh: { refresh(done.first?.latents) }))
        }
        return done
    }

    /// So many blocks of which each goes through all sequences, a range of steps each.
    func run(through sequences: [LatentSequence], blocks: Int) throws -> [Latents] {
        var done: [Latents] = []
        for index in 0..<blocks {
            let latents = try sequences.reduce(Latents?.none) { input, sequence in
                try sequence.denoise(
                    index, audio: sound(of: index), input: input,
                    refresh: { refresh(done.first) }
                ).latents
            }
            if let latents { done.append(latents) }
        }
        return done
    }
}

extension NormalNumbers {
    /// Latents of normal numbers on a grid.
    mutating func latents(_ channels: Int, _ frames: Int, _ grid: LatentGrid) -> Latents {
        Latents(
            channels: channels, frames: frames, height: grid.height, width: grid.width,
            values: floats(channels * frames * grid.height * grid.width))
    }
}
