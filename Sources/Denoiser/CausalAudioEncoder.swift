import Compute
import Foundation
import Layers
import Tensors

/// Audio features of one block, 12 video frames, as tokens of its 3 latent frames.
///
/// `casual_audio_encoder` in the checkpoint, whose spelling it is. All in float32.
struct CausalAudioEncoder {
    let dim: Int
    let tokens: Int
    let features: Int
    /// One weight for each hidden state of the audio encoder: [1, layers, 1, 1].
    let layerWeights: Parameter
    let paddingToken: Parameter
    let local: CausalConvolution1D
    let global: CausalConvolution1D
    let second: CausalConvolution1D
    let third: CausalConvolution1D
    let final: Linear

    /// How many hidden states of the audio encoder are mixed.
    var layers: Int { layerWeights.shape[1] }

    private static let normEpsilon: Float = 1e-6

    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        dim = configuration.dim
        tokens = configuration.audioTokens
        features = configuration.audioDim
        let layers = scope.shape(of: "weights").flatMap { $0.rank == 4 ? $0[1] : nil } ?? 1
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
        final = Linear(encoder.scope("final_linear"), from: dim, to: dim, as: .float32)
    }

    /// The tokens of one actor's features [12, layers, features]: local [3, tokens + 1, dim], global [3, dim].
    func callAsFunction(
        _ block: [Float], on device: any Device
    ) throws -> (local: Tensor, global: Tensor) {
        let mixed = try mixingLayers(of: block)
        let padded = prependingMotion(to: mixed)
        let x = try device.tensor(padded, [padded.count / features, features])
        let first = try local(x, on: device)
        let steps = first.shape[0]
        let local = try device.allocate(
            [DenoiserConfiguration.blockFrames, tokens + 1, dim], .float32)
        for token in 0..<tokens {
            // Each token is a sequence of its own.
            let sequence = try device.allocate([steps, dim / 4], .float32)
            try device.copy(
                first.columns(token * dim / 4..<(token + 1) * dim / 4), into: sequence)
            let rows = try encode(sequence, on: device)
            try copy(lastFramesOf: rows, into: local, token: token, on: device)
        }
        try addPadding(to: local, on: device)
        let rows = try encode(global(x, on: device), on: device)
        let last = try device.allocate([DenoiserConfiguration.blockFrames, dim], .float32)
        try device.copy(lastFrames(of: rows), into: last)
        return (local, try final(last, on: device, as: .float32))
    }

    /// The hidden states of each frame weighted by silu(weights) over their sum: [12, layers, features] to [12, features].
    func mixingLayers(of block: [Float]) throws -> [Float] {
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

    /// The first frame stands for the sound of the motion frames.
    func prependingMotion(to mixed: [Float]) -> [Float] {
        let first = Array(mixed[0..<features])
        var padded: [Float] = []
        for _ in 0..<DenoiserConfiguration.motionVideoFrames { padded += first }
        return padded + mixed
    }

    /// The two strided convolutions that both kinds of tokens share: [steps, dim / 4] to [latent frames, dim].
    private func encode(_ x: Tensor, on device: any Device) throws -> Tensor {
        var x = try activated(x, on: device)
        x = try activated(second(x, on: device), on: device)
        return try activated(third(x, on: device), on: device)
    }

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

    private func copy(
        lastFramesOf rows: Tensor, into local: Tensor, token: Int, on device: any Device
    ) throws {
        let last = lastFrames(of: rows)
        for frame in 0..<DenoiserConfiguration.blockFrames {
            try device.copy(
                last.rows(frame..<frame + 1), into: local[frame].rows(token..<token + 1))
        }
    }

    private func addPadding(to local: Tensor, on device: any Device) throws {
        let padding = paddingToken.tensor.reshaped([1, dim])
        for frame in 0..<DenoiserConfiguration.blockFrames {
            try device.copy(padding, into: local[frame].rows(tokens..<tokens + 1))
        }
    }
}

/// A convolution over time with three taps that sees no later step; in front of the first step it sees that
/// step again. Float32.
struct CausalConvolution1D {
    let weight: Parameter
    let bias: Parameter
    let stride: Int
    private static let taps = 3

    /// The layer at `scope`, with the weight [output, input, taps].
    init(_ scope: WeightScope, from input: Int, to output: Int, stride: Int) {
        weight = scope.parameter(
            "weight", [output, input, Self.taps], for: .convolution(groups: 1), as: .float32,
            viewedAs: [output, input, Self.taps, 1, 1])
        bias = scope.parameter("bias", [output])
        self.stride = stride
    }

    /// [steps, input] to [(steps - 1) / stride + 1, output].
    func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
        let (steps, channels) = (x.shape[0], x.shape[1])
        let history = Self.taps - 1
        let padded = try device.allocate([steps + history, channels], .float32)
        for step in 0..<history {
            try device.copy(x.rows(0..<1), into: padded.rows(step..<step + 1))
        }
        try device.copy(x, into: padded.rows(history..<history + steps))
        let input = padded.reshaped([steps + history, 1, 1, channels])
        let geometry = ConvolutionGeometry(stride: .init(stride, 1, 1))
        let y = try device.allocate(
            geometry.outputShape(input: input.shape, weight: weight.shape), .float32)
        try device.convolution(
            input, weight: weight.tensor, bias: bias.tensor, geometry: geometry, residual: nil,
            into: y)
        return y.reshaped([y.shape[0], y.shape[3]])
    }
}
