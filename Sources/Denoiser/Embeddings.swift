import Compute
import Layers
import Tensors

/// A convolution whose kernel is its stride: each patch of latents becomes one token.
package struct PatchEmbedding {
    let patch: PatchSize
    let projection: Linear
    /// [dim]
    let bias: Parameter

    /// The layer at `scope`, with the weight [dim, channels, frames, height, width].
    init(_ scope: WeightScope, patch: PatchSize, configuration: DenoiserConfiguration) {
        let (channels, dim) = (configuration.latentChannels, configuration.dim)
        self.patch = patch
        let weight = scope.parameter(
            "weight", [dim, channels, patch.frames, patch.height, patch.width], for: .linear,
            viewedAs: [dim, patch.elementCount(channels: channels)])
        bias = scope.parameter("bias", [dim])
        projection = Linear(weight: weight, bias: bias)
    }

    /// The tokens [tokens, dim] of all whole patches.
    package func callAsFunction(_ latents: Latents, on device: any Device) throws -> Tensor {
        try projection(patches(of: latents, on: device), on: device)
    }

    /// The tokens of all whole patches into others [tokens, dim].
    func embed(_ latents: Latents, into tokens: Tensor, on device: any Device) throws {
        try projection(patches(of: latents, on: device), into: tokens, on: device)
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

/// Motion latents as tokens, the older the coarser ("framepack").
package struct MotionEmbedding {
    private let parts: [(bucket: MotionBucket, embedding: PatchEmbedding)]

    /// The layers under `frame_packer`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        parts = MotionBucket.all.map { bucket in
            let embedding = PatchEmbedding(
                scope.scope(bucket.name), patch: bucket.patch, configuration: configuration)
            return (bucket, embedding)
        }
    }

    /// The tokens [tokens, dim] of the last 19 frames into others, newest bucket first; what lacks
    /// in front is taken for zeros.
    package func embed(_ motion: Latents, into tokens: Tensor, on device: any Device) throws {
        let motion = motion.lastFrames(DenoiserConfiguration.motionFrames)
        var row = 0
        for (bucket, embedding) in parts {
            let count = bucket.tokens(height: motion.height, width: motion.width)
            try embedding.embed(
                motion.frames(bucket.frames), into: tokens.rows(row..<row + count), on: device)
            row += count
        }
        precondition(row == tokens.shape[0])
    }
}

/// The text condition as the tokens that blocks attend to.
package struct TextEmbedding {
    let rows: Int
    let width: Int
    let first: Linear
    let second: Linear

    /// The layers under `text_embedding`; the context's width is known from the checkpoint alone.
    init(
        _ scope: WeightScope, configuration: DenoiserConfiguration
    ) throws(UnusableWeight) {
        let dim = configuration.dim
        rows = configuration.textTokens
        width = try scope.shape(of: "0.weight", rank: 2)[1]
        first = Linear(scope.scope("0"), from: width, to: dim)
        second = Linear(scope.scope("2"), from: dim, to: dim)
    }

    /// Every parameter.
    var parameters: [Parameter] { first.parameters + second.parameters }

    /// The tokens [rows, dim] of a context of up to `rows` rows of `width`; the missing rows are
    /// zeros, which become tokens like any other and are attended to.
    package func callAsFunction(_ context: [Float], on device: any Device) throws -> Tensor {
        precondition(context.count % width == 0 && context.count <= rows * width)
        let padded = context + [Float](repeating: 0, count: rows * width - context.count)
        let tensor = try device.cast(
            device.tensor(padded, [rows, width]), to: device.activationType)
        let hidden = try first(tensor, on: device, activation: .geluTanh)
        return try second(hidden, on: device)
    }
}
