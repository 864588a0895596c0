import Compute
import Foundation
import Layers
import Tensors

/// Audio features of one block, 12 video frames, as tokens of its 3 latent frames.
///
/// `casual_audio_encoder` in the checkpoint, whose spelling it is. All in float32.
package struct CausalAudioEncoder {
    let dim: Int
    let tokens: Int
    let features: Int
    /// One weight for each hidden state of the audio encoder: [1, layers, 1, 1].
    let layerWeights: Parameter
    /// Stands behind the local tokens of every frame: [1, 1, 1, dim].
    let paddingToken: Parameter
    let local: CausalConvolution1D
    let global: CausalConvolution1D
    let second: CausalConvolution1D
    let third: CausalConvolution1D
    let final: Linear

    /// How many hidden states of the audio encoder are mixed.
    var layers: Int { layerWeights.shape[1] }

    private static let normEpsilon: Float = 1e-6

    /// The layers under `casual_audio_encoder`; how many hidden states are mixed is known from the
    /// checkpoint alone.
    init(
        _ scope: WeightScope, configuration: DenoiserConfiguration
    ) throws(UnusableWeight) {
        dim = configuration.dim
        tokens = configuration.audioTokens
        features = configuration.audioDim
        let layers = try scope.shape(of: "weights", rank: 4)[1]
        layerWeights = scope.parameter("weights", [1, layers, 1, 1])
        let encoder = scope.scope("encoder")
        paddingToken = encoder.parameter("padding_tokens", [1, 1, 1, dim])
        local = CausalConvolution1D(
            encoder.scope("conv1_local.conv"), from: features, to: dim / 4 * tokens, stride: 1)
        global = CausalConvolution1D(
            encoder.scope("conv1_global.conv"), from: features, to: dim / 4, stride: 1)
        second = CausalConvolution1D(
            encoder.scope("conv2.conv"), from: dim / 4, to: dim / 2, stride: 2)
        third = CausalConvolution1D(
            encoder.scope("conv3.conv"), from: dim / 2, to: dim, stride: 2)
        final = Linear(encoder.scope("final_linear"), from: dim, to: dim, as: .fixed(.float32))
    }

    /// The tokens of one actor's features [12, layers, features].
    package func callAsFunction(
        _ block: [Float], on device: any Device
    ) throws -> AudioTokens {
        let mixed = try mixingLayers(of: block)
        let sequences = try sequences(of: prependingMotion(to: mixed), on: device)
        let frames = DenoiserConfiguration.blockFrames
        let local = try device.allocate([frames, tokens + 1, dim], .float32)
        for (token, sequence) in sequences.local.enumerated() {
            try copy(lastFrames(of: sequence), into: local, token: token, on: device)
        }
        let padding = paddingToken.tensor.reshaped([1, dim])
        for frame in 0..<frames {
            try device.copy(padding, into: local[frame].rows(tokens..<tokens + 1))
        }
        return AudioTokens(local: local, global: lastFrames(of: sequences.global))
    }

    /// The hidden states of each frame weighted by silu(weights) over their sum: [frames, layers,
    /// features] to [frames, features].
    package func mixingLayers(of block: [Float]) throws -> [Float] {
        let weights = try layerWeights.floats().map { $0 / (1 + exp(-$0)) }
        let sum = weights.reduce(0, +)
        let frames = block.count / (weights.count * features)
        var mixed = [Float](repeating: 0, count: frames * features)
        for frame in 0..<frames {
            for (layer, weight) in weights.enumerated() {
                let start = (frame * weights.count + layer) * features
                for feature in 0..<features {
                    mixed[frame * features + feature] += weight * block[start + feature]
                }
            }
        }
        return mixed.map { $0 / sum }
    }

    /// The first frame, repeated, stands for the sound of the motion frames: [frames, features].
    package func prependingMotion(to mixed: [Float]) -> [Float] {
        let first = mixed[0..<features]
        let motion = repeatElement(first, count: DenoiserConfiguration.motionVideoFrames)
        return motion.flatMap(\.self) + mixed
    }

    /// The tokens of mixed features [frames, features] in all latent frames, motion's included: one
    /// sequence [latent frames, dim] for each local token, and the global one.
    package func sequences(
        of mixed: [Float], on device: any Device
    ) throws -> (local: [Tensor], global: Tensor) {
        let x = try device.tensor(mixed, [mixed.count / features, features])
        let width = dim / 4
        let split = try local(x, on: device)
        let local = try (0..<tokens).map { token in
            let columns = split.columns(token * width..<(token + 1) * width)
            return try encode(device.cast(columns, to: .float32), on: device)
        }
        let rows = try encode(global(x, on: device), on: device)
        return (local, try final(rows, on: device, as: .float32))
    }

    /// The strided convolutions that both kinds of tokens share: [frames, dim / 4] to [latent
    /// frames, dim].
    private func encode(_ x: Tensor, on device: any Device) throws -> Tensor {
        var x = try activated(x, on: device)
        x = try activated(second(x, on: device), on: device)
        return try activated(third(x, on: device), on: device)
    }

    /// silu(norm(x)).
    private func activated(_ x: Tensor, on device: any Device) throws -> Tensor {
        let normalised = try device.allocate(x.shape, .float32)
        try device.layerNorm(
            x, weight: nil, bias: nil, scale: nil, shift: nil, epsilon: Self.normEpsilon,
            into: normalised)
        try device.activate(normalised, .silu, into: normalised)
        return normalised
    }

    /// The rows behind those of the motion frames.
    private func lastFrames(of rows: Tensor) -> Tensor {
        rows.rows(rows.shape[0] - DenoiserConfiguration.blockFrames..<rows.shape[0])
    }

    /// Copies a token's rows [frames, dim] to its place in [frames, tokens + 1, dim].
    private func copy(
        _ rows: Tensor, into local: Tensor, token: Int, on device: any Device
    ) throws {
        for frame in 0..<rows.shape[0] {
            try device.copy(
                rows.rows(frame..<frame + 1), into: local[frame].rows(token..<token + 1))
        }
    }
}

/// What one actor's sound is to the latent frames of a block.
package struct AudioTokens {
    /// [3, audio tokens + 1, dim]
    package let local: Tensor
    /// [3, dim]
    package let global: Tensor

    /// Tokens made otherwise.
    package init(local: Tensor, global: Tensor) {
        self.local = local
        self.global = global
    }
}
