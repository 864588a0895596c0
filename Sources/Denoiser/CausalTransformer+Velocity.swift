import Compute
import Layers
import Tensors

/// One block of noisy latents, and where in the video and in the schedule it stands.
public struct NoisyBlock {
    /// [channels, 3, h, w]
    public var latents: Latents
    /// The pose condition, like `latents`; nil for none.
    public var pose: Latents?
    /// The absolute latent frame at which the block starts, a multiple of 3.
    public var frame: Int
    /// The schedule's timestep, 0 to 1000.
    public var timestep: Float
    /// Which of the branch's windows is this step's.
    public var window: Int
    /// How far ahead of the block the reference sits, in latent frames.
    public var sinkDistance: Int

    /// A block at a place in the video and in the schedule.
    public init(
        latents: Latents, pose: Latents? = nil, frame: Int, timestep: Float, window: Int,
        sinkDistance: Int
    ) {
        self.latents = latents
        self.pose = pose
        self.frame = frame
        self.timestep = timestep
        self.window = window
        self.sinkDistance = sinkDistance
    }
}

/// A block on its way through the layers.
package struct VelocityPass {
    /// [block tokens, dim], changed by each layer.
    package let tokens: Tensor
    /// (cos, sin) of each token.
    let rotation: Tensor
    /// (cos, sin) of each reference token, for this block and its sink distance.
    let referenceRotation: Tensor
    let modulation: TimestepModulation
    let window: KeyValueWindow
    /// Tokens of the video in front of the block.
    let position: Int
}

extension CausalTransformer {
    /// The velocity of a noisy block, [channels, 3, h, w]; writes its keys and values into the
    /// window.
    ///
    /// `masks` are one for each actor, [block tokens], or nil where every token hears everyone.
    public func velocity(
        of noisy: NoisyBlock, audio: AudioCondition, masks: [Tensor]?, branch: GuidanceBranch,
        grid: LatentGrid, on device: any Device, monitor: Monitor = { _ in }
    ) throws -> Latents {
        let pass = try pass(of: noisy, branch: branch, grid: grid, on: device)
        for layer in blocks.indices {
            try run(layer: layer, pass, branch: branch, on: device)
            try inject(audio, masks: masks, afterLayer: layer, into: pass.tokens, on: device)
            try monitor(Progress("layers", completed: layer + 1, total: blocks.count))
        }
        return try head(
            pass.tokens, modulation: pass.modulation.head, like: noisy.latents,
            epsilon: configuration.epsilon, on: device)
    }

    /// What the layers need of a block, computed once for all of them.
    package func pass(
        of noisy: NoisyBlock, branch: GuidanceBranch, grid: LatentGrid, on device: any Device
    ) throws -> VelocityPass {
        precondition(noisy.frame % DenoiserConfiguration.blockFrames == 0)
        let positions = RotaryPositions(embedding: rotary, grid: grid)
        let rollout = RotaryPositions.rollout(
            frame: noisy.frame, sinkDistance: noisy.sinkDistance)
        return VelocityPass(
            tokens: try noisyTokens(noisy, on: device),
            rotation: try rotation(positions.block(startingAt: noisy.frame), on: device),
            referenceRotation: try rotation(positions.reference(rollout: rollout), on: device),
            modulation: try modulation(timestep: noisy.timestep, on: device),
            window: branch.windows[noisy.window], position: noisy.frame * grid.frameTokens)
    }

    /// The tokens [tokens, dim] of noisy latents; without a pose, its encoder still adds its bias.
    private func noisyTokens(_ noisy: NoisyBlock, on device: any Device) throws -> Tensor {
        let x = try noisyEmbedding(noisy.latents, on: device)
        if let pose = noisy.pose {
            try poseEmbedding.accumulate(pose, onto: x, on: device)
        } else {
            let bias = poseEmbedding.bias.tensor
            try device.accumulate(bias.reshaped([1, x.shape[1]]), onto: x)
        }
        try device.accumulate(mark(of: .noisy), onto: x)
        return x
    }

    /// Takes a block's tokens through one layer, and its keys and values into the window.
    package func run(
        layer: Int, _ pass: VelocityPass, branch: GuidanceBranch, on device: any Device
    ) throws {
        let block = blocks[layer]
        try streamed?.use(layer)
        let window = try pass.window.use(layer: layer, position: pass.position)
        try device.rotate(
            branch.referenceKeys[layer], by: pass.referenceRotation, into: window.referenceKeys)
        try block(
            pass.tokens, modulation: pass.modulation.blocks[layer], text: branch.text[layer],
            on: device
        ) { x in
            let own = window.block(position: pass.position)
            let queries = try block.selfAttention.project(
                x, rotation: pass.rotation, keyRotation: pass.rotation, keys: own.keys,
                values: own.values, scale: branch.scales?[layer].query, on: device)
            let attended = try block.selfAttention.attend(
                queries, over: window.active(position: pass.position), on: device)
            try pass.window.finish(layer: layer, position: pass.position)
            return attended
        }
        try streamed?.finish(layer)
    }

    /// Adds the sound to the tokens behind a layer, if it is one of those that hear.
    private func inject(
        _ audio: AudioCondition, masks: [Tensor]?, afterLayer layer: Int, into tokens: Tensor,
        on device: any Device
    ) throws {
        guard let index = configuration.audioLayers.firstIndex(of: layer) else { return }
        try injectors[index].inject(audio.layers[index], masks: masks, into: tokens, on: device)
    }
}
