import Compute
import Foundation
import Layers
import Tensors

/// Cross-attention of noisy tokens over audio tokens, behind a norm that the sound modulates.
package struct AudioInjector {
    let heads: Int
    let query: Linear
    let key: Linear
    let value: Linear
    let output: Linear
    let queryNorm: RMSNorm
    let keyNorm: RMSNorm
    let modulation: Linear

    /// The norm in front of the attention has another epsilon than the blocks' norms.
    static let normEpsilon: Float = 1e-5

    /// The `index`-th of `audio_injector`'s layers.
    init(_ scope: WeightScope, index: Int, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        let injector = scope.scope("injector.\(index)")
        heads = configuration.heads
        func matrix(_ name: String) -> Linear {
            Linear(injector.scope(name), from: dim, to: dim, as: .matrix)
        }
        (query, key, value, output) = (matrix("q"), matrix("k"), matrix("v"), matrix("o"))
        queryNorm = RMSNorm(
            injector.scope("norm_q"), size: dim, epsilon: configuration.epsilon)
        keyNorm = RMSNorm(injector.scope("norm_k"), size: dim, epsilon: configuration.epsilon)
        modulation = Linear(
            scope.scope("injector_adain_layers.\(index).linear"), from: dim, to: 2 * dim)
    }

    /// What this layer needs of one actor's sound, the same for all denoising steps of a block.
    package func condition(
        _ audio: AudioTokens, on device: any Device
    ) throws -> AudioLayerCondition {
        let (local, global) = (audio.local, audio.global)
        let (frames, tokens, dim) = (local.shape[0], local.shape[1], local.shape[2])
        let activated = try device.allocate(global.shape, .float32)
        try device.activate(global, .silu, into: activated)
        let modulations = try modulation(activated, on: device, as: .float32)
        let rows = try device.cast(
            local.reshaped([frames * tokens, dim]), to: device.activationType)
        let keys = try keyNorm(key(rows, on: device), on: device)
        let values = try value(rows, on: device)
        let split: Shape = [frames, tokens, heads, dim / heads]
        return AudioLayerCondition(
            shift: try device.cast(modulations.columns(0..<dim), to: .float32),
            scale: try device.cast(modulations.columns(dim..<2 * dim), to: .float32),
            key: keys.reshaped(split), value: values.reshaped(split))
    }

    /// Adds what the sound of all actors does to the tokens x [tokens, dim]; each actor's share is
    /// multiplied by its mask [tokens], if there are masks.
    package func inject(
        _ conditions: [AudioLayerCondition], masks: [Tensor]?, into x: Tensor,
        on device: any Device
    ) throws {
        // Every actor's share is computed from the same tokens before any is added.
        let shares = try conditions.map { try share(of: $0, in: x, on: device) }
        for (actor, share) in shares.enumerated() {
            try device.accumulate(share, mask: masks?[actor], onto: x)
        }
    }

    /// What one actor's sound adds to the tokens x [tokens, dim] before masking: [tokens, dim].
    private func share(
        of condition: AudioLayerCondition, in x: Tensor, on device: any Device
    ) throws -> Tensor {
        let (tokens, dim) = (x.shape[0], x.shape[1])
        let frames = condition.key.shape[0]
        let normalised = try query.input(rows: tokens, on: device)
        try device.layerNorm(
            x, weight: nil, bias: nil, scale: condition.scale, shift: condition.shift,
            epsilon: Self.normEpsilon, into: normalised)
        let queries = try queryNorm(query(normalised, on: device), on: device)
        let attended = try device.attention(
            query: queries.reshaped([frames, tokens / frames, heads, dim / heads]),
            key: condition.key, value: condition.value,
            scale: 1 / Float(dim / heads).squareRoot())
        return try output(attended.reshaped([tokens, dim]), on: device)
    }
}

/// What one injector needs of one actor's sound in one block.
package struct AudioLayerCondition {
    /// [frames, dim]
    let shift: Tensor
    /// [frames, dim]
    let scale: Tensor
    /// [frames, audio tokens, heads, head]
    let key: Tensor
    /// [frames, audio tokens, heads, head]
    let value: Tensor
}
