import Compute
import Denoiser
import Layers
import Tensors

/// One step of the denoiser behind the first clip, where windows are full and the conditioning refreshed, and the whole of a
/// block. Steps and blocks go on from one round to the next, as in a run, so that what is fetched ahead is what comes.
final class DenoisingBenchmark: StageBenchmark {
    let weights: SyntheticWeights
    private let transformer: CausalTransformer
    private let conditions: DenoisingConditions
    private let sound: [Float]
    private let grid: LatentGrid
    private let schedule: FlowSchedule
    private let windowType: DataType?
    private let residency: DenoiserResidency
    private var sequence: LatentSequence?

    var traffic: LinkTraffic {
        let (weights, windows) = (transformer.weightTraffic, sequence?.windowTraffic)
        return LinkTraffic(
            fetched: weights.fetched + (windows?.fetched ?? 0),
            stored: weights.stored + (windows?.stored ?? 0))
    }

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
        self.sequence = sequence
        // The first clip fills every row of the windows.
        for block in 0...grid.clipBlocks { try denoise(block, of: sequence) }
        let audio = try transformer.audioCondition([sound], on: device)
        let latents = try sequence.noise(of: grid.clipBlocks)
        var (block, step) = (grid.clipBlocks + 1, 0)
        return [
            TimedWork("step") { [transformer, grid, schedule] in
                let noisy = NoisyBlock(
                    latents: latents, frame: block * DenoiserConfiguration.blockFrames,
                    timestep: schedule.timesteps[step], window: step, sinkDistance: 17)
                _ = try transformer.velocity(
                    of: noisy, audio: audio, masks: nil, branch: sequence.positive, grid: grid,
                    on: device)
                step = (step + 1) % schedule.steps
                if step == 0 { block += 1 }
            },
            TimedWork("block of \(schedule.steps) steps") { [self] in
                if step > 0 { (block, step) = (block + 1, 0) }
                try denoise(block, of: sequence)
                block += 1
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
