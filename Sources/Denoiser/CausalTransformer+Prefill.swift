import Compute
import Layers
import Tensors

// The conditioning: reference and motion latents, taken through the blocks once.
extension CausalTransformer {
    /// Runs reference [channels, 1, h, w] and motion latents through the blocks and keeps their
    /// keys and values as the conditioning of every window of the branch, in place of what was
    /// there.
    public func prefill(
        _ branch: GuidanceBranch, reference: Latents, motion: Latents, grid: LatentGrid,
        on device: any Device, monitor: Monitor = { _ in }
    ) throws {
        let pass = try prefillPass(
            reference: reference, motion: motion, grid: grid, on: device)
        for layer in blocks.indices {
            try prefill(branch, layer: layer, pass, on: device)
            try monitor(Progress("layers", completed: layer + 1, total: blocks.count))
        }
    }

    /// What the blocks need of the conditioning, computed once for all of them.
    package func prefillPass(
        reference: Latents, motion: Latents, grid: LatentGrid, on device: any Device
    ) throws -> PrefillPass {
        let positions = RotaryPositions(embedding: rotary, grid: grid)
        return PrefillPass(
            tokens: try conditioningTokens(
                reference: reference, motion: motion, grid: grid, on: device),
            rotation: try rotation(positions.conditioning(rollout: 0), on: device),
            modulation: try modulation(timestep: 0, on: device))
    }

    /// Reference tokens, and behind them those of motion: [conditioning tokens, dim].
    private func conditioningTokens(
        reference: Latents, motion: Latents, grid: LatentGrid, on device: any Device
    ) throws -> Tensor {
        let x = try device.allocate(
            [grid.conditioningTokens, configuration.dim], device.activationType)
        let referenceTokens = x.rows(0..<grid.frameTokens)
        let motionTokens = x.rows(grid.frameTokens..<grid.conditioningTokens)
        try noisyEmbedding.embed(reference, into: referenceTokens, on: device)
        try motionEmbedding.embed(motion, into: motionTokens, on: device)
        try device.accumulate(mark(of: .reference), onto: referenceTokens)
        try device.accumulate(mark(of: .motion), onto: motionTokens)
        return x
    }

    /// Takes the conditioning tokens through one block, and its keys and values into the branch.
    package func prefill(
        _ branch: GuidanceBranch, layer: Int, _ pass: PrefillPass, on device: any Device
    ) throws {
        let block = blocks[layer]
        try streamed?.use(layer)
        let split: Shape = [pass.tokens.shape[0], configuration.heads, configuration.head]
        try block(
            pass.tokens, modulation: pass.modulation.blocks[layer], text: branch.text[layer],
            on: device
        ) { x in
            let keys = try device.allocate(split, device.activationType)
            let turned = KeysAndValues(
                keys: try device.allocate(split, device.activationType),
                values: try device.allocate(split, device.activationType))
            let queries = try block.selfAttention.project(
                x, rotation: pass.rotation, keyRotation: nil, keys: keys, values: turned.values,
                scale: nil, on: device)
            try device.rotate(keys, by: pass.rotation, into: turned.keys)
            try branch.keep(turned, unturned: keys, layer: layer, on: device)
            return try block.selfAttention.attend(queries, over: turned, on: device)
        }
        try streamed?.finish(layer)
    }
}

/// The conditioning on its way through the blocks.
package struct PrefillPass {
    /// [conditioning tokens, dim], changed by each block.
    package let tokens: Tensor
    /// (cos, sin) of each token, the reference being at its first place.
    let rotation: Tensor
    let modulation: TimestepModulation
}
