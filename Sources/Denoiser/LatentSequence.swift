import Compute
import Foundation
import Layers
import Tensors

/// Denoises a video block after block, for all the steps of the schedule or a range of them.
///
/// A block's result depends on what its windows hold, so blocks come in order. After a restart,
/// replaying the last `replayBlocks` blocks from what entered their steps fills the windows with
/// the same bits.
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
    package let positive: GuidanceBranch
    package let negative: GuidanceBranch?
    private let windowSlots: StreamedSlots?
    private let masks: [Tensor]?
    private var clipNoise: (clip: Int, latents: Latents)?
    private var prefilled: Prefill?

    /// Which latents the conditioning was made of.
    private enum Prefill { case image, refreshed }

    /// Asked once, at the first block after the first clip, for what takes the place of image and
    /// motion in the conditioning: the first latent frame of block 0 as finally denoised with the
    /// same motion, for the streaming recipe; nil to go on with the image.
    public typealias Refresh = () throws -> SinkLatents?

    /// A sequence at its start; computes what text and timesteps contribute. Load the transformer first, with the same residency.
    ///
    /// Throws `UnfitCondition` for conditions that the model cannot take, and `UnsupportedOperation` for windows to be streamed
    /// on a device whose memory is not apart. Traps on a range of steps beyond the schedule, or on a part of it unless the
    /// solver is Euler's: others remember.
    public init(
        transformer: CausalTransformer, conditions: DenoisingConditions,
        randomness: DenoisingRandomness, grid: LatentGrid, schedule: FlowSchedule,
        steps: Range<Int>? = nil, windowType: DataType? = nil,
        residency: DenoiserResidency = .resident, on device: any Device,
        monitor: Monitor = { _ in }
    ) throws {
        let all = 0..<schedule.steps
        let steps = steps ?? all
        precondition(!steps.isEmpty && steps.clamped(to: all) == steps)
        precondition(schedule.solver == .euler || steps == all)
        precondition([0, steps.count].contains(residency.streamedWindows.count))
        try conditions.check(for: transformer, grid: grid)
        self.transformer = transformer
        self.device = device
        self.conditions = conditions
        self.randomness = randomness
        self.grid = grid
        self.schedule = schedule
        self.steps = steps
        try transformer.prepareModulations(
            timesteps: steps.map { schedule.timesteps[$0] } + [0], on: device)
        // Scale 1 is no guidance, to the bit.
        let guidance = conditions.guidance.flatMap { $0.scale == 1 ? nil : $0 }
        let (branches, slots) = try transformer.branches(
            contexts: [conditions.context] + (guidance.map { [$0.context] } ?? []),
            steps: steps.count, grid: grid, windowType: windowType, residency: residency,
            on: device, monitor: monitor)
        positive = branches[0]
        negative = guidance == nil ? nil : branches[1]
        windowSlots = slots
        masks = try device.holding(.long) {
            try conditions.masks?.map { try device.tensor($0, [grid.blockTokens]) }
        }
    }

    /// Bytes of streamed windows that were asked for so far.
    public var windowTraffic: LinkTraffic { windowSlots?.traffic ?? LinkTraffic() }
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

// MARK: - Blocks

extension LatentSequence {
    /// Denoises block `index` of the video, after the one before it or after a replay.
    ///
    /// - Parameters:
    ///   - index: the block's place in the video.
    ///   - audio: the sound of each actor, [12, layers, features].
    ///   - input: what enters the first of the steps; nil for the noise of the seed.
    ///   - refresh: asked once, at the first block after the first clip.
    /// - Throws: `UnfitCondition`, `NotFinite`, and what device, randomness, refresh and monitor
    ///   throw; the block may be denoised again after that.
    public func denoise(
        _ index: Int, audio: [[Float]], input: Latents? = nil, refresh: Refresh,
        monitor: Monitor = { _ in }
    ) throws -> DenoisedBlock {
        let sound = try prepare(index, audio: audio, refresh: refresh, monitor: monitor)
        var latents = try input ?? noise(of: index)
        try check(latents)
        var solver = FlowSolver(schedule)
        var stepInputs: [Latents] = []
        for step in steps {
            if step > steps.lowerBound { stepInputs.append(latents) }
            let velocity = try velocity(
                of: latents, index: index, step: step, sound: sound, monitor: monitor)
            latents.values = solver.step(
                step, sample: latents.values, velocity: velocity.values)
        }
        return DenoisedBlock(index: index, latents: latents, stepInputs: stepInputs)
    }

    /// Fills the windows with block `index` from what entered each of its steps. Throws as
    /// `denoise` does.
    public func replay(
        _ index: Int, audio: [[Float]], stepInputs: [Latents], refresh: Refresh,
        monitor: Monitor = { _ in }
    ) throws {
        precondition(stepInputs.count == steps.count)
        let sound = try prepare(index, audio: audio, refresh: refresh, monitor: monitor)
        for (step, latents) in zip(steps, stepInputs) {
            try check(latents)
            _ = try velocity(
                of: latents, index: index, step: step, sound: sound, monitor: monitor)
        }
    }

    /// The noise of block `index`, what enters the first step of the schedule: [channels, 3, h, w].
    public func noise(of index: Int) throws -> Latents {
        let clip = index / grid.clipBlocks
        if clipNoise?.clip != clip {
            let noise = try randomness.noise(clip)
            try noise.check(
                "noise", channels: transformer.configuration.latentChannels,
                frames: grid.clipFrames, grid: grid)
            clipNoise = (clip, noise)
        }
        guard let clipNoise else { preconditionFailure("the noise was just made") }
        return clipNoise.latents.frames(frames(of: index % grid.clipBlocks))
    }

    /// The latent frames of block `index`.
    private func frames(of index: Int) -> Range<Int> {
        let start = index * DenoiserConfiguration.blockFrames
        return start..<start + DenoiserConfiguration.blockFrames
    }

    /// Checks latents that enter a step.
    private func check(_ latents: Latents) throws {
        try latents.check(
            "latents", channels: transformer.configuration.latentChannels,
            frames: DenoiserConfiguration.blockFrames, grid: grid)
    }
}

// MARK: - Conditioning

extension LatentSequence {
    /// One block's sound for the branches: the negative one is silent.
    private struct Sound {
        let positive: AudioCondition
        let negative: AudioCondition?
    }

    /// Makes the conditioning that block `index` needs, unless it is there, and its sound.
    private func prepare(
        _ index: Int, audio: [[Float]], refresh: Refresh, monitor: Monitor
    ) throws -> Sound {
        try conditions.check(audio: audio, for: transformer)
        try prefill(for: index, refresh: refresh, monitor: monitor)
        return Sound(
            positive: try transformer.audioCondition(audio, on: device),
            negative: try negative.map { _ in
                let silence = audio.map { [Float](repeating: 0, count: $0.count) }
                return try transformer.audioCondition(silence, on: device)
            })
    }

    /// Prefills with the image for the first clip, with what refreshes it after that.
    private func prefill(for index: Int, refresh: Refresh, monitor: Monitor) throws {
        let wanted: Prefill = index < grid.clipBlocks ? .image : .refreshed
        guard prefilled != wanted else { return }
        let refreshed = wanted == .image ? nil : try refresh()
        // Scales come from the image, also where a restart begins behind it.
        if refreshed != nil && !branches.allSatisfy(\.areValuesMeasured) {
            try prefill(conditions.sink, monitor: monitor)
        }
        if prefilled == nil || wanted == .image || refreshed != nil {
            try prefill(refreshed ?? conditions.sink, monitor: monitor)
        }
        prefilled = wanted
    }

    private var branches: [GuidanceBranch] { [positive, negative].compactMap(\.self) }

    private func prefill(_ sink: SinkLatents, monitor: Monitor) throws {
        try sink.check(channels: transformer.configuration.latentChannels, grid: grid)
        // Until all layers are done, the windows hold neither.
        prefilled = nil
        for branch in branches {
            try transformer.prefill(
                branch, reference: sink.reference, motion: sink.motion, grid: grid,
                on: device, monitor: monitor)
        }
    }
}

// MARK: - Velocity

extension LatentSequence {
    /// The guided velocity of block `index` at a step.
    private func velocity(
        of latents: Latents, index: Int, step: Int, sound: Sound, monitor: Monitor
    ) throws -> Latents {
        let block = NoisyBlock(
            latents: latents, pose: try pose(of: index), frame: frames(of: index).lowerBound,
            timestep: schedule.timesteps[step], window: step - steps.lowerBound,
            sinkDistance: try randomness.sinkDistance(
                index / grid.clipBlocks, index % grid.clipBlocks, step))
        func velocity(_ branch: GuidanceBranch, _ audio: AudioCondition) throws -> Latents {
            try transformer.velocity(
                of: block, audio: audio, masks: masks, branch: branch, grid: grid, on: device,
                monitor: monitor)
        }
        var result = try velocity(positive, sound.positive)
        if let negative, let silence = sound.negative, let guidance = conditions.guidance {
            let away = try velocity(negative, silence)
            result.values = zip(result.values, away.values).map {
                $1 + guidance.scale * ($0 - $1)
            }
        }
        guard result.isFinite else { throw NotFinite(block: index, step: step) }
        return result
    }

    /// The pose of block `index`; nil without one.
    private func pose(of index: Int) throws -> Latents? {
        guard let pose = conditions.pose else { return nil }
        let frames = frames(of: index)
        guard frames.upperBound <= pose.frames else {
            throw UnfitCondition(
                tensor: "pose",
                reason: "has \(pose.frames) latent frames, block \(index) needs"
                    + " \(frames.upperBound)")
        }
        return pose.frames(frames)
    }
}

/// A block came out with infinities or NaN.
public struct NotFinite: Error, Hashable, Sendable, CustomStringConvertible {
    /// The block's place in the video.
    public let block: Int
    /// The step, counted from 0.
    public let step: Int

    public var description: String {
        "block \(block) is not finite after step \(step + 1):"
            + " the weights or the conditions are damaged"
    }
}
