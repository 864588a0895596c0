import Compute
import Denoiser
import Tensors

/// A run of the real model on a device that computes nothing: what it needs meanwhile, and what it would have computed.
struct DryRun {
    /// Bytes that weights of the time reach with what is computed of them, conversions not counted.
    let timeBytes: Int
    /// The same of the text.
    let textBytes: Int
    /// Bytes that tensors of the moment reach, holes between them included, once a run has started.
    let temporaryBytes: Int
    /// The operations of one step: a pass for each branch over a full window.
    let operations: [OperationProfile]

    /// Loads, prefills and takes one block through every step, with these work spaces of operations. Throws what the model
    /// throws.
    init(_ request: PlanRequest, workspaces: OperationWorkspaces) throws {
        let device = RecordingDevice(
            activationType: request.precision.activationType,
            matrixType: request.precision.matrixType,
            workspaces: workspaces)
        let profiling = ProfilingDevice(device)
        let transformer = try request.model.transformer()
        try transformer.load(on: profiling)
        device.forgetReach()
        try transformer.prepareModulations(timesteps: request.timesteps, on: profiling)
        timeBytes = device.arena.reachFromTop
        device.forgetReach()
        let run = try Run(request, of: transformer, on: profiling)
        textBytes = device.arena.reachFromTop
        // Tables of rotations, and what else is made once, come in the first round.
        try run.round()
        device.forgetReach()
        try run.round()
        temporaryBytes = device.arena.reachFromTop
        operations = try run.operations()
    }

    fileprivate static func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }
}

/// A model with its branches.
private struct Run {
    private let request: PlanRequest
    private let device: ProfilingDevice
    private let transformer: CausalTransformer
    private let branches: [GuidanceBranch]
    private let masks: [Tensor]?

    init(
        _ request: PlanRequest, of transformer: CausalTransformer, on device: ProfilingDevice
    ) throws {
        self.request = request
        self.device = device
        let context = DryRun.zeros(request.model.textDim)
        branches = try transformer.branches(
            contexts: Array(repeating: context, count: request.branches), steps: request.steps,
            grid: request.grid, windowType: request.attention.windowType, residency: .resident,
            on: device, monitor: { _ in }
        ).branches
        self.transformer = transformer
        masks = try device.holding(.long) { try request.masks(on: device) }
    }

    /// A prefill, and one block through all steps.
    func round() throws {
        for branch in branches {
            try transformer.prefill(
                branch, reference: request.latents(frames: 1),
                motion: request.latents(frames: DenoiserConfiguration.motionFrames),
                grid: request.grid, on: device)
        }
        let sounds = try sounds()
        for step in 0..<request.steps { try pass(step, sounds) }
    }

    /// What a step computes.
    func operations() throws -> [OperationProfile] {
        let sounds = try sounds()
        device.isRecording = true
        defer { device.isRecording = false }
        try pass(0, sounds)
        return try device.operations()
    }

    private func sounds() throws -> [AudioCondition] {
        try branches.map { _ in try transformer.audioCondition(request.sounds, on: device) }
    }

    /// The first block of the second clip, where the window is full, through one step.
    private func pass(_ step: Int, _ sounds: [AudioCondition]) throws {
        let noisy = NoisyBlock(
            latents: request.latents(frames: DenoiserConfiguration.blockFrames),
            frame: request.grid.clipFrames, timestep: request.timesteps[step], window: step,
            sinkDistance: 17)
        for (branch, sound) in zip(branches, sounds) {
            _ = try transformer.velocity(
                of: noisy, audio: sound, masks: masks, branch: branch, grid: request.grid,
                on: device)
        }
    }
}

extension PlanRequest {
    /// Those of the steps, and the conditioning's.
    fileprivate var timesteps: [Float] { (1...steps).map(Float.init) + [0] }

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
