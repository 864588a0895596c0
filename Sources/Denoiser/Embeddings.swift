import Compute
import Foundation
import Layers
import Tensors

/// A convolution whose kernel is its stride: each patch of latents becomes one token.
struct PatchEmbedding {
    let patch: PatchSize
    let projection: Linear

    /// The layer at `scope`, with the weight [dim, channels, frames, height, width].
    init(_ scope: WeightScope, channels: Int, patch: PatchSize, dim: Int) {
        self.patch = patch
        projection = Linear(
            weight: scope.parameter(
                "weight", [dim, channels, patch.frames, patch.height, patch.width], for: .linear,
                viewedAs: [dim, patch.elementCount(channels: channels)]),
            bias: scope.parameter("bias", [dim]))
    }

    /// The tokens [tokens, dim] of all whole patches.
    func callAsFunction(_ latents: Latents, on device: any Device) throws -> Tensor {
        try projection(patches(of: latents, on: device), on: device)
    }

    /// Adds the tokens to others [tokens, dim].
    func accumulate(_ latents: Latents, onto tokens: Tensor, on device: any Device) throws {
        try projection.accumulate(patches(of: latents, on: device), onto: tokens, on: device)
    }

    private func patches(of latents: Latents, on device: any Device) throws -> Tensor {
        let patches = latents.patches(patch)
        let width = patch.elementCount(channels: latents.channels)
        let tensor = try device.tensor(patches, [patches.count / width, width])
        return try device.activationType == .float32
            ? tensor : device.cast(tensor, to: device.activationType)
    }
}

/// Reference and motion latents as conditioning tokens.
struct ConditioningEmbedding {
    let motion: [(bucket: MotionBucket, embedding: PatchEmbedding)]

    /// The layers under `frame_packer`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        motion = MotionBucket.all.map { bucket in
            (
                bucket,
                PatchEmbedding(
                    scope.scope(bucket.name), channels: configuration.latentChannels,
                    patch: bucket.patch, dim: configuration.dim)
            )
        }
    }

    /// The motion tokens [tokens, dim], newest bucket first, into `tokens`.
    func embed(motion latents: Latents, into tokens: Tensor, on device: any Device) throws {
        let latents = latents.lastFrames(DenoiserConfiguration.motionFrames)
        var row = 0
        for (bucket, embedding) in motion {
            let part = try embedding(latents.frames(bucket.frames), on: device)
            try device.copy(part, into: tokens.rows(row..<row + part.shape[0]))
            row += part.shape[0]
        }
        precondition(row == tokens.shape[0])
    }
}

/// The timestep as a vector, and as the six modulations of a block. All in float32.
struct TimeEmbedding {
    let frequency: Int
    let first: Linear
    let second: Linear
    let projection: Linear

    /// The layers `time_embedding` and `time_projection`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        frequency = configuration.frequency
        first = Linear(
            scope.scope("time_embedding.0"), from: frequency, to: dim, as: .float32)
        second = Linear(scope.scope("time_embedding.2"), from: dim, to: dim, as: .float32)
        projection = Linear(
            scope.scope("time_projection.1"), from: dim, to: 6 * dim, as: .float32)
    }

    /// The vector [1, dim] and the modulations [6, dim] of a timestep, 0 to 1000.
    func callAsFunction(
        _ timestep: Float, on device: any Device
    ) throws -> (vector: Tensor, modulations: Tensor) {
        let sinusoid = try device.tensor(
            Self.sinusoid(timestep, width: frequency), [1, frequency])
        let hidden = try first(sinusoid, on: device, activation: .silu, as: .float32)
        let vector = try second(hidden, on: device, as: .float32)
        let activated = try device.allocate(vector.shape, .float32)
        try device.activate(vector, .silu, into: activated)
        let modulations = try projection(activated, on: device, as: .float32)
        return (vector, modulations.reshaped([6, vector.shape[1]]))
    }

    /// cos and then sin of t * 10000^(-k / half), computed in float64: [width].
    static func sinusoid(_ timestep: Float, width: Int) -> [Float] {
        let half = width / 2
        let angles = (0..<half).map {
            Double(timestep) * pow(10000, -Double($0) / Double(half))
        }
        return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
    }
}

/// The text condition as the tokens that blocks attend to.
struct TextEmbedding {
    let rows: Int
    let width: Int
    let first: Linear
    let second: Linear

    /// The layers under `text_embedding`; the context's width is known from the checkpoint alone.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        rows = configuration.textTokens
        width = scope.shape(of: "0.weight")?.dimensions.last ?? 1
        first = Linear(scope.scope("0"), from: width, to: dim)
        second = Linear(scope.scope("2"), from: dim, to: dim)
    }

    /// The tokens [rows, dim] of a context of up to `rows` rows of `width`; the missing rows are zeros, which
    /// become tokens like any other and are attended to.
    func callAsFunction(_ context: [Float], on device: any Device) throws -> Tensor {
        precondition(context.count % width == 0 && context.count <= rows * width)
        let padded = context + [Float](repeating: 0, count: rows * width - context.count)
        let tensor = try device.cast(
            device.tensor(padded, [rows, width]), to: device.activationType)
        let hidden = try first(tensor, on: device, activation: .geluTanh)
        return try second(hidden, on: device)
    }
}
