import Compute
import Denoiser
import Tensors

/// A run of the real model on a device that computes nothing: what it allocates beside the groups of a plan, and
/// what it would have computed.
struct DryRun {
    /// Bytes that tensors of the moment reach, holes between them included.
    let temporaryBytes: Int
    /// Bytes that are held for the whole run, all weights and windows included.
    let heldBytes: Int
    /// The operations of one pass for each branch over a full window.
    let operations: [OperationProfile]

    /// Loads, prefills and takes one block through every step, with the work spaces of a card's operations if it is to run on
    /// one. Throws what the model throws.
    init(_ request: PlanRequest, isOnCard: Bool) throws {
        let device = RecordingDevice(
            activationType: request.precision.activationType,
            matrixType: request.precision.matrixType,
            workspaces: isOnCard ? .ofCard : nil)
        let profiler = ProfilingDevice(device)
        let transformer = try request.model.transformer()
        try transformer.parameters.load(on: profiler)
        let branches = try (0..<request.branches).map { _ in
            try transformer.branch(
                context: Self.zeros(request.model.textDim), steps: request.steps,
                grid: request.grid, windowType: request.attention.windowType, on: profiler)
        }
        for branch in branches {
            try transformer.prefill(
                branch, reference: request.latents(frames: 1),
                motion: request.latents(frames: DenoiserConfiguration.motionFrames),
                grid: request.grid, on: profiler)
        }
        let sounds = try branches.map { _ in
            try transformer.audioCondition(request.sounds, on: profiler)
        }
        let masks = try request.masks(on: profiler)
        func pass(_ step: Int) throws {
            // The first block of the second clip, where the window is full.
            let noisy = NoisyBlock(
                latents: request.latents(frames: DenoiserConfiguration.blockFrames),
                frame: request.grid.clipFrames, timestep: Float(step + 1), window: step,
                sinkDistance: 17)
            for (branch, sound) in zip(branches, sounds) {
                _ = try transformer.velocity(
                    of: noisy, audio: sound, masks: masks, branch: branch, grid: request.grid,
                    on: profiler)
            }
        }
        for step in 0..<request.steps { try pass(step) }
        heldBytes = device.arena.reach - device.arena.reachFromTop
        temporaryBytes = device.arena.reachFromTop
        profiler.isRecording = true
        try pass(0)
        operations = try profiler.operations()
    }

    fileprivate static func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }
}

extension PlanRequest {
    /// Latents of zeros, [channels, frames, h, w].
    fileprivate func latents(frames: Int) -> Latents {
        let channels = model.configuration.latentChannels
        return Latents(
            channels: channels, frames: frames, height: grid.height, width: grid.width,
            values: DryRun.zeros(channels * frames * grid.height * grid.width))
    }

    /// One block of silence for each actor.
    fileprivate var sounds: [[Float]] {
        let row = model.audioStates * model.configuration.audioDim
        return (0..<actors).map { _ in
            DryRun.zeros(DenoiserConfiguration.blockVideoFrames * row)
        }
    }

    /// A mask for each actor if there are several.
    fileprivate func masks(on device: any Device) throws -> [Tensor]? {
        guard actors > 1 else { return nil }
        return try (0..<actors).map { _ in try device.zeros([grid.blockTokens], .float32) }
    }
}
