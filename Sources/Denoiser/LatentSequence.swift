import Compute
import Tensors

/// The conditions of one run, as the stages before made them.
public struct DenoisingConditions {
    /// The text context, [tokens, textDim].
    public var context: [Float]
    /// The context of the negative prompt and the guidance scale; nil for no guidance.
    public var guidance: Guidance?
    /// [channels, 1, h, w]
    public var reference: Latents
    /// [channels, 19, h, w], fewer being padded in front
    public var motion: Latents
    /// [channels, 12 x clips, h, w]; nil for no pose
    public var pose: Latents?
    /// For each actor, how much its sound drives each token of a block: [3 x rows x columns], the mask's first three
    /// frames, which serve every block; nil for none.
    public var masks: [[Float]]?

    /// A negative prompt and how far from it to go.
    public struct Guidance {
        /// The context of the negative prompt, [tokens, textDim].
        public var context: [Float]
        /// velocity = negative + scale * (positive - negative)
        public var scale: Float

        /// Guidance away from a context.
        public init(context: [Float], scale: Float) {
            self.context = context
            self.scale = scale
        }
    }

    /// The conditions of a run.
    public init(
        context: [Float], guidance: Guidance? = nil, reference: Latents, motion: Latents,
        pose: Latents? = nil, masks: [[Float]]? = nil
    ) {
        self.context = context
        self.guidance = guidance
        self.reference = reference
        self.motion = motion
        self.pose = pose
        self.masks = masks
    }
}

/// Where the random numbers of a run come from.
public struct DenoisingRandomness {
    /// The noise of a clip, [channels, clipFrames, h, w].
    public var noise: (_ clip: Int) throws -> Latents
    /// How far ahead the reference sits in one forward.
    public var sinkDistance: (_ clip: Int, _ block: Int, _ step: Int) throws -> Int

    /// Random numbers from elsewhere, as for a replay.
    public init(
        noise: @escaping (_ clip: Int) throws -> Latents,
        sinkDistance: @escaping (_ clip: Int, _ block: Int, _ step: Int) throws -> Int
    ) {
        self.noise = noise
        self.sinkDistance = sinkDistance
    }

    /// Random numbers from a seed: the noise of clip r is PyTorch's for seed + r on a card with so many multiprocessors.
    public init(seed: UInt64, channels: Int, grid: LatentGrid, multiprocessors: Int) {
        noise = { clip in
            let count = channels * grid.clipFrames * grid.height * grid.width
            let generator = PhiloxRandom(seed: seed &+ UInt64(clip))
            return Latents(
                channels: channels, frames: grid.clipFrames, height: grid.height,
                width: grid.width,
                values: generator.normals(count: count, multiprocessors: multiprocessors))
        }
        let generator = PhiloxRandom(seed: seed)
        sinkDistance = { generator.sinkDistance(clip: $0, block: $1, step: $2) }
    }
}

/// What denoising a block left.
public struct DenoisedBlock {
    /// The block's place in the video.
    public let index: Int
    /// The latents behind the last of the steps, [channels, 3, h, w].
    public let latents: Latents
    /// What entered each step after the first of those that ran.
    public let stepInputs: [Latents]
}

/// Denoises a video block after block, for all the steps of the schedule or a range of them.
///
/// A block's result depends on what its windows hold, so blocks come in order. After a restart, replaying the
/// last layers x 3 blocks from what entered their steps fills the windows with the same bits.
public final class LatentSequence {
    /// The grid of the run.
    public let grid: LatentGrid
    /// The schedule of the run.
    public let schedule: FlowSchedule
    /// The steps that this process runs, counted from 0.
    public let steps: Range<Int>

    private let transformer: CausalTransformer
    private let device: any Device
    private let conditions: DenoisingConditions
    private let randomness: DenoisingRandomness
    private let positive: GuidanceBranch
    private let negative: GuidanceBranch?
    private let masks: [Tensor]?
    private var clipNoise: (clip: Int, latents: Latents)?
    private var prefilled: Prefill?

    /// Which reference the conditioning was made of.
    private enum Prefill { case image, refreshed }

    /// A sequence at its start; computes what the text contributes. Load the transformer first.
    public init(
        transformer: CausalTransformer, conditions: DenoisingConditions,
        randomness: DenoisingRandomness, grid: LatentGrid, schedule: FlowSchedule,
        steps: Range<Int>? = nil, on device: any Device
    ) throws {
        self.transformer = transformer
        self.device = device
        self.conditions = conditions
        self.randomness = randomness
        self.grid = grid
        self.schedule = schedule
        self.steps = steps ?? 0..<schedule.steps
        let windows = self.steps.count
        positive = try transformer.branch(
            context: conditions.context, steps: windows, grid: grid, on: device)
        // Scale 1 is no guidance, to the bit.
        negative = try conditions.guidance.flatMap { guidance in
            guidance.scale == 1
                ? nil
                : try transformer.branch(
                    context: guidance.context, steps: windows, grid: grid, on: device)
        }
        masks = try conditions.masks.map { masks in
            try masks.map { try device.tensor($0, [grid.blockTokens]) }
        }
    }

    /// How many blocks before one a restart must replay: the farthest that a block can depend on.
    public var replayBlocks: Int {
        // Each layer sees the window without the block itself.
        transformer.configuration.layers * (grid.clipBlocks - 1)
    }
}

extension LatentSequence {
    /// Denoises block `index` of the video, after the one before it or as the first of a replay.
    ///
    /// - Parameters:
    ///   - index: the block's place in the video.
    ///   - audio: the sound of each actor, [12, layers, features].
    ///   - input: what enters the first of the steps; nil for the noise of the seed.
    ///   - refreshedReference: the first latent frame of block 0 as finally denoised, asked for once, at the
    ///     first block after the first clip.
    public func denoise(
        _ index: Int, audio: [[Float]], input: Latents?,
        refreshedReference: () throws -> Latents, monitor: Monitor = { _ in }
    ) throws -> DenoisedBlock {
        try prepare(for: index, refreshedReference: refreshedReference, monitor: monitor)
        var latents = try input ?? noise(of: index)
        var solver = FlowSolver(schedule)
        var stepInputs: [Latents] = []
        let sound = try Sound(self, audio)
        for step in steps {
            if step > steps.lowerBound { stepInputs.append(latents) }
            let velocity = try velocity(
                of: latents, index: index, step: step, sound: sound, monitor: monitor)
            latents.values = solver.step(
                step, sample: latents.values, velocity: velocity.values)
        }
        return DenoisedBlock(index: index, latents: latents, stepInputs: stepInputs)
    }

    /// Fills the windows with block `index` from what entered each of its steps; makes no latents but the last step's
    /// velocity, which nobody needs.
    public func replay(
        _ index: Int, audio: [[Float]], stepInputs: [Latents],
        refreshedReference: () throws -> Latents, monitor: Monitor = { _ in }
    ) throws {
        precondition(stepInputs.count == steps.count)
        try prepare(for: index, refreshedReference: refreshedReference, monitor: monitor)
        let sound = try Sound(self, audio)
        for (step, latents) in zip(steps, stepInputs) {
            _ = try velocity(
                of: latents, index: index, step: step, sound: sound, monitor: monitor)
        }
    }

    /// The noise of block `index`, what enters the first step of the schedule.
    public func noise(of index: Int) throws -> Latents {
        let clip = index / grid.clipBlocks
        if clipNoise?.clip != clip {
            clipNoise = (clip, try randomness.noise(clip))
        }
        guard let clipNoise else { preconditionFailure("the noise was just made") }
        let start = index % grid.clipBlocks * DenoiserConfiguration.blockFrames
        return clipNoise.latents.frames(start..<start + DenoiserConfiguration.blockFrames)
    }

    /// Makes the conditioning: from the image for the first clip, from the first generated latent after it.
    private func prepare(
        for index: Int, refreshedReference: () throws -> Latents, monitor: Monitor
    ) throws {
        let wanted: Prefill = index < grid.clipBlocks ? .image : .refreshed
        guard prefilled != wanted else { return }
        let reference = try wanted == .image ? conditions.reference : refreshedReference()
        for branch in [positive, negative].compactMap(\.self) {
            try transformer.prefill(
                branch, reference: reference, motion: conditions.motion, grid: grid, on: device,
                monitor: monitor)
        }
        prefilled = wanted
    }

    /// One block's sound for the branches: the negative one is silent.
    private struct Sound {
        let positive: AudioCondition
        let negative: AudioCondition?

        init(_ sequence: LatentSequence, _ audio: [[Float]]) throws {
            positive = try sequence.transformer.audioCondition(audio, on: sequence.device)
            let silence = audio.map { [Float](repeating: 0, count: $0.count) }
            negative = try sequence.negative.map { _ in
                try sequence.transformer.audioCondition(silence, on: sequence.device)
            }
        }
    }

    private func velocity(
        of latents: Latents, index: Int, step: Int, sound: Sound, monitor: Monitor
    ) throws -> Latents {
        let block = NoisyBlock(
            latents: latents, pose: pose(of: index),
            frame: index * DenoiserConfiguration.blockFrames,
            timestep: schedule.timesteps[step], window: step - steps.lowerBound,
            sinkDistance: try randomness.sinkDistance(
                index / grid.clipBlocks, index % grid.clipBlocks, step))
        var velocity = try transformer.velocity(
            of: block, audio: sound.positive, masks: masks, branch: positive, grid: grid,
            on: device, monitor: monitor)
        if let negative, let silence = sound.negative, let guidance = conditions.guidance {
            let away = try transformer.velocity(
                of: block, audio: silence, masks: masks, branch: negative, grid: grid,
                on: device, monitor: monitor)
            velocity.values = zip(velocity.values, away.values).map {
                $1 + guidance.scale * ($0 - $1)
            }
        }
        guard velocity.isFinite else { throw NotFinite(block: index, step: step) }
        return velocity
    }

    /// The pose of block `index`; nil without one.
    private func pose(of index: Int) -> Latents? {
        let start = index * DenoiserConfiguration.blockFrames
        return conditions.pose?.frames(start..<start + DenoiserConfiguration.blockFrames)
    }
}

/// A block came out with infinities or NaN.
public struct NotFinite: Error, CustomStringConvertible {
    /// The block's place in the video.
    public let block: Int
    /// The step, counted from 0.
    public let step: Int

    public var description: String {
        "block \(block) is not finite after step \(step + 1): the weights or the conditions are damaged"
    }
}
