import Compute
import Denoiser
import Layers
import Tensors

/// One step of the denoiser at the first block of the second clip, where the window is full and the
/// conditioning refreshed, and the whole of such a block.
final class DenoisingBenchmark: StageBenchmark {
    let weights: SyntheticWeights
    private let transformer: CausalTransformer
    private let conditions: DenoisingConditions
    private let sound: [Float]
    private let grid: LatentGrid
    private let schedule: FlowSchedule
    private let windowType: DataType?
    private let residency: DenoiserResidency

    init(_ subject: BenchmarkSubject) throws {
        let configuration = subject.sizes.denoiser
        windowType = subject.windowType
        residency = subject.residency
        weights = SyntheticWeights(.bfloat16, sizes: subject.sizes.denoiserShapes)
        transformer = try CausalTransformer(WeightScope(weights), configuration: configuration)
        let inputs = SyntheticInputs(subject)
        conditions = DenoisingConditions(
            context: inputs.context(tokens: configuration.textTokens),
            sink: SinkLatents(
                reference: inputs.latents(frames: 1),
                motion: inputs.latents(frames: DenoiserConfiguration.motionFrames)))
        sound = inputs.sound(
            frames: DenoiserConfiguration.blockVideoFrames, layers: transformer.audioLayerCount)
        grid = subject.grid
        schedule = FlowSchedule(solver: .euler, steps: subject.steps)
    }

    func load(on device: any Device) throws {
        try transformer.load(on: device, residency: residency)
    }

    func prepare(on device: any Device) throws -> [TimedWork] {
        let sequence = try LatentSequence(
            transformer: transformer, conditions: conditions,
            randomness: DenoisingRandomness(
                seed: 420, channels: transformer.configuration.latentChannels, grid: grid,
                multiprocessors: 132), grid: grid, schedule: schedule, windowType: windowType,
            residency: residency, on: device)
        // The first clip fills every row of the windows.
        for block in 0...grid.clipBlocks { try denoise(block, of: sequence) }
        let audio = try transformer.audioCondition([sound], on: device)
        let noisy = NoisyBlock(
            latents: try sequence.noise(of: grid.clipBlocks), frame: grid.clipFrames,
            timestep: schedule.timesteps[0], window: 0, sinkDistance: 17)
        return [
            TimedWork("step") { [transformer, grid] in
                _ = try transformer.velocity(
                    of: noisy, audio: audio, masks: nil, branch: sequence.positive, grid: grid,
                    on: device)
            },
            TimedWork("block of \(schedule.steps) steps") { [self] in
                try denoise(grid.clipBlocks, of: sequence)
            },
        ]
    }

    private func denoise(_ block: Int, of sequence: LatentSequence) throws {
        _ = try sequence.denoise(
            block, audio: [sound], refresh: { [conditions] in conditions.sink })
    }
}

extension BenchmarkSubject {
    /// The denoiser's tokens, for clips of 48 video frames.
    public var grid: LatentGrid {
        LatentGrid(height: latentHeight, width: latentWidth, clipFrames: 12)
    }

    /// Height of the latents.
    var latentHeight: Int { height / 8 }
    /// Width of the latents.
    var latentWidth: Int { width / 8 }
}
