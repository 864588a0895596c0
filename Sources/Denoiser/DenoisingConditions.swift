import Tensors

/// The conditions of one run, as the stages before made them.
public struct DenoisingConditions {
    /// The text context, [tokens, textDim].
    public var context: [Float]
    /// The context of the negative prompt and the guidance scale; nil for no guidance.
    public var guidance: Guidance?
    /// The image that the actor looks like, and what went before.
    public var sink: SinkLatents
    /// [channels, 12 x clips, h, w]; nil for no pose
    public var pose: Latents?
    /// For each actor, how much its sound drives each token of a block: [3 x rows x columns], the
    /// mask's first three frames, which serve every block; nil for none.
    public var masks: [[Float]]?

    /// A negative prompt and how far from it to go.
    public struct Guidance {
        /// The context of the negative prompt, [tokens, textDim].
        public var context: [Float]
        /// velocity = negative + scale * (positive - negative)
        public var scale: Float

        /// Guidance away from a context.
        public init(context: [Float], scale: Float) {
            self.context = context
            self.scale = scale
        }
    }

    /// The conditions of a run.
    public init(
        context: [Float], guidance: Guidance? = nil, sink: SinkLatents, pose: Latents? = nil,
        masks: [[Float]]? = nil
    ) {
        self.context = context
        self.guidance = guidance
        self.sink = sink
        self.pose = pose
        self.masks = masks
    }
}

/// What every block attends to beside the window: an attention sink.
public struct SinkLatents: Equatable, Sendable {
    /// [channels, 1, h, w]
    public var reference: Latents
    /// [channels, 19, h, w]; fewer are padded in front with zeros, of more the last 19 count
    public var motion: Latents

    /// A reference and the motion before the video.
    public init(reference: Latents, motion: Latents) {
        self.reference = reference
        self.motion = motion
    }
}

/// A condition that does not fit the model or the run.
public struct UnfitCondition: Error, Hashable, Sendable, CustomStringConvertible {
    /// The condition's tensor: `context`, `features`, `reference`, `motion`, `pose`, `mask`,
    /// `noise` or `latents`.
    public let tensor: String
    /// What is wrong, as it follows the name.
    public let reason: String

    public var description: String { "tensor '\(tensor)' \(reason)" }
}

// MARK: - Checks

extension DenoisingConditions {
    /// Throws `UnfitCondition` for the first condition that the model cannot take.
    func check(for model: CausalTransformer, grid: LatentGrid) throws(UnfitCondition) {
        try Self.check(context, for: model)
        if let guidance { try Self.check(guidance.context, for: model) }
        let channels = model.configuration.latentChannels
        try sink.check(channels: channels, grid: grid)
        try pose?.check("pose", channels: channels, frames: nil, grid: grid)
        for mask in masks ?? [] where mask.count != grid.blockTokens {
            throw UnfitCondition(
                tensor: "mask",
                reason: "has \(mask.count) cells in 3 frames, the latents need \(grid.blockTokens)")
        }
    }

    private static func check(
        _ context: [Float], for model: CausalTransformer
    ) throws(UnfitCondition) {
        let (width, limit) = (model.textDim, model.configuration.textTokens)
        guard context.count % width == 0, context.count <= width * limit else {
            throw UnfitCondition(
                tensor: "context",
                reason: "has \(context.count) elements, the model takes rows of \(width),"
                    + " at most \(limit)")
        }
    }

    /// Throws `UnfitCondition` unless there is sound for as many actors as masks, a block of it
    /// each.
    func check(audio: [[Float]], for model: CausalTransformer) throws(UnfitCondition) {
        if let masks, masks.count != audio.count {
            throw UnfitCondition(
                tensor: "mask",
                reason: "is for another number of actors (\(masks.count)) than the sound"
                    + " (\(audio.count))")
        }
        guard masks != nil || audio.count == 1 else {
            throw UnfitCondition(
                tensor: "mask", reason: "is missing, the sound is of \(audio.count) actors")
        }
        let row = model.audioLayerCount * model.configuration.audioDim
        let count = DenoiserConfiguration.blockVideoFrames * row
        for block in audio where block.count != count {
            throw UnfitCondition(
                tensor: "features",
                reason: "has \(block.count) elements in a block, the model needs \(count)")
        }
    }
}

extension SinkLatents {
    /// Throws `UnfitCondition` unless both fit the run.
    func check(channels: Int, grid: LatentGrid) throws(UnfitCondition) {
        try reference.check("reference", channels: channels, frames: 1, grid: grid)
        try motion.check("motion", channels: channels, frames: nil, grid: grid)
    }
}

extension Latents {
    /// Throws `UnfitCondition` unless the latents have these channels and frames, at least one if
    /// nil, and the size of the grid.
    func check(
        _ tensor: String, channels: Int, frames: Int?, grid: LatentGrid
    ) throws(UnfitCondition) {
        let expected: Shape = [channels, frames ?? max(1, self.frames), grid.height, grid.width]
        let shape: Shape = [self.channels, self.frames, height, width]
        guard shape == expected else {
            throw UnfitCondition(
                tensor: tensor, reason: "has the shape \(shape), expected \(expected)")
        }
    }
}
