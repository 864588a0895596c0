import Compute
import Layers
import Tensors

/// The Live Avatar transformer: the velocity of one block of noisy latents, given what came before.
///
/// See `MODEL.md` beside this file for the graph.
public final class CausalTransformer {
    /// The sizes.
    public let configuration: DenoiserConfiguration
    /// Every weight, for loading.
    public let parameters: [Parameter]

    let noisyEmbedding: PatchEmbedding
    let poseEmbedding: PatchEmbedding
    let conditioningEmbedding: ConditioningEmbedding
    /// [3, dim]: added to noisy, reference and motion tokens.
    let tokenKinds: Parameter
    let timeEmbedding: TimeEmbedding
    let textEmbedding: TextEmbedding
    let audioEncoder: CausalAudioEncoder
    let blocks: [TransformerBlock]
    let injectors: [AudioInjector]
    let head: VelocityHead
    let rotary: RotaryEmbedding
    private var modulations: [Float: TimestepModulation] = [:]

    /// The transformer whose weights are at the root of `scope`. Sizes that the checkpoint denies are found by
    /// its claims; load `parameters` before use.
    public init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let channels = configuration.latentChannels
        let dim = configuration.dim
        let patch = PatchSize(
            frames: 1, height: DenoiserConfiguration.patch, width: DenoiserConfiguration.patch)
        self.configuration = configuration
        noisyEmbedding = PatchEmbedding(
            scope.scope("patch_embedding"), channels: channels, patch: patch, dim: dim)
        poseEmbedding = PatchEmbedding(
            scope.scope("cond_encoder"), channels: channels, patch: patch, dim: dim)
        conditioningEmbedding = ConditioningEmbedding(
            scope.scope("frame_packer"), configuration: configuration)
        tokenKinds = scope.parameter("trainable_cond_mask.weight", [3, dim])
        timeEmbedding = TimeEmbedding(scope, configuration: configuration)
        textEmbedding = TextEmbedding(
            scope.scope("text_embedding"), configuration: configuration)
        audioEncoder = CausalAudioEncoder(
            scope.scope("casual_audio_encoder"), configuration: configuration)
        blocks = (0..<configuration.layers).map {
            TransformerBlock(scope.scope("blocks.\($0)"), configuration: configuration)
        }
        injectors = configuration.audioLayers.indices.map {
            AudioInjector(
                scope.scope("audio_injector"), index: $0, configuration: configuration)
        }
        head = VelocityHead(scope.scope("head"), configuration: configuration)
        rotary = RotaryEmbedding(head: configuration.head)
        parameters = scope.parameters
    }

    /// Width of the text context's rows.
    public var textDim: Int { textEmbedding.width }
    /// Hidden states of the audio encoder in each row of the audio features.
    public var audioLayerCount: Int { audioEncoder.layers }
}

// MARK: - Conditions

extension CausalTransformer {
    /// A branch of the guidance for a text context [tokens, textDim], with `steps` windows.
    public func branch(
        context: [Float], steps: Int, grid: LatentGrid, on device: any Device
    ) throws -> GuidanceBranch {
        let tokens = try textEmbedding(context, on: device)
        return GuidanceBranch(
            text: try blocks.map { try $0.textAttention.keysAndValues(of: tokens, on: device) },
            windows: try (0..<steps).map { _ in
                try KeyValueWindow(grid: grid, configuration: configuration, on: device)
            })
    }

    /// The sound of one block for each actor, [12, layers, features] each, as the injectors need it.
    public func audioCondition(
        _ actors: [[Float]], on device: any Device
    ) throws -> AudioCondition {
        let tokens = try actors.map { try audioEncoder($0, on: device) }
        return AudioCondition(
            layers: try injectors.map { injector in
                try tokens.map {
                    try injector.condition(local: $0.local, global: $0.global, on: device)
                }
            })
    }

    /// Runs reference [channels, 1, h, w] and motion latents through the blocks and keeps their keys and values as
    /// the conditioning of the branch, in place of what was there.
    public func prefill(
        _ branch: GuidanceBranch, reference: Latents, motion: Latents, grid: LatentGrid,
        on device: any Device, monitor: Monitor = { _ in }
    ) throws {
        let x = try conditioningTokens(
            reference: reference, motion: motion, grid: grid, on: device)
        let rotation = try rotationTable(
            RotaryPositions(embedding: rotary, grid: grid).conditioning(rollout: 0), on: device)
        let modulation = try modulation(timestep: 0, on: device)
        let split: Shape = [x.shape[0], configuration.heads, configuration.head]
        branch.conditioningKeys = []
        for (layer, block) in blocks.enumerated() {
            let keys = try device.allocate(split, device.activationType)
            let values = try device.allocate(split, device.activationType)
            try block(
                x, modulation: modulation.blocks[layer], text: branch.text[layer], on: device
            ) { x in
                let queries = try block.selfAttention.project(
                    x, rotation: rotation, keyRotation: nil, keys: keys, values: values,
                    on: device)
                let turned = try device.allocate(split, device.activationType)
                try device.rotate(keys, by: rotation, into: turned)
                return try block.selfAttention.attend(
                    queries, over: KeysAndValues(keys: turned, values: values), on: device)
            }
            branch.conditioningKeys.append(keys)
            for window in branch.windows {
                try device.copy(values, into: window.conditioning(layer: layer).values)
            }
            try monitor(Progress("layers", completed: layer + 1, total: blocks.count))
        }
    }

    private func conditioningTokens(
        reference: Latents, motion: Latents, grid: LatentGrid, on device: any Device
    ) throws -> Tensor {
        let x = try device.allocate(
            [grid.conditioningTokens, configuration.dim], device.activationType)
        let referenceTokens = x.rows(0..<grid.frameTokens)
        let motionTokens = x.rows(grid.frameTokens..<grid.conditioningTokens)
        try device.copy(noisyEmbedding(reference, on: device), into: referenceTokens)
        try conditioningEmbedding.embed(motion: motion, into: motionTokens, on: device)
        try device.accumulate(tokenKinds.tensor.rows(1..<2), onto: referenceTokens)
        try device.accumulate(tokenKinds.tensor.rows(2..<3), onto: motionTokens)
        return x
    }
}

// MARK: - Velocity

/// One block of noisy latents, and where in the video and in the schedule it stands.
public struct NoisyBlock {
    /// [channels, 3, h, w]
    public var latents: Latents
    /// The pose condition, like `latents`; nil for none.
    public var pose: Latents?
    /// The absolute latent frame at which the block starts.
    public var frame: Int
    /// The schedule's timestep, 0 to 1000.
    public var timestep: Float
    /// Which of the branch's windows is this step's.
    public var window: Int
    /// How far ahead of the block the reference sits.
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

extension CausalTransformer {
    /// The velocity of a noisy block, [channels, 3, h, w]; writes its keys and values into the window.
    public func velocity(
        of noisy: NoisyBlock, audio: AudioCondition, masks: [Tensor]?, branch: GuidanceBranch,
        grid: LatentGrid, on device: any Device, monitor: Monitor = { _ in }
    ) throws -> Latents {
        let positions = RotaryPositions(embedding: rotary, grid: grid)
        let rotation = try rotationTable(positions.block(startingAt: noisy.frame), on: device)
        let rollout = RotaryPositions.rollout(
            frame: noisy.frame, sinkDistance: noisy.sinkDistance)
        let conditioningRotation = try rotationTable(
            positions.conditioning(rollout: rollout), on: device)
        let modulation = try modulation(timestep: noisy.timestep, on: device)
        let window = branch.windows[noisy.window]
        let position = noisy.frame * grid.frameTokens

        let x = try noisyTokens(noisy, on: device)
        for (layer, block) in blocks.enumerated() {
            try device.rotate(
                branch.conditioningKeys[layer], by: conditioningRotation,
                into: window.conditioning(layer: layer).keys)
            try block(
                x, modulation: modulation.blocks[layer], text: branch.text[layer], on: device
            ) { x in
                let own = window.block(
                    layer: layer, position: position, tokens: grid.blockTokens)
                let queries = try block.selfAttention.project(
                    x, rotation: rotation, keyRotation: rotation, keys: own.keys,
                    values: own.values, on: device)
                return try block.selfAttention.attend(
                    queries,
                    over: window.active(
                        layer: layer, position: position, tokens: grid.blockTokens),
                    on: device)
            }
            if let index = configuration.audioLayers.firstIndex(of: layer) {
                try injectors[index].inject(
                    audio.layers[index], masks: masks, into: x, on: device)
            }
            try monitor(Progress("layers", completed: layer + 1, total: blocks.count))
        }
        return try head(
            x, vector: modulation.head, like: noisy.latents, epsilon: configuration.epsilon,
            on: device)
    }

    /// The tokens [tokens, dim] of noisy latents; without a pose, its encoder still adds its bias.
    func noisyTokens(_ noisy: NoisyBlock, on device: any Device) throws -> Tensor {
        let x = try noisyEmbedding(noisy.latents, on: device)
        if let pose = noisy.pose {
            try poseEmbedding.accumulate(pose, onto: x, on: device)
        } else if let bias = poseEmbedding.projection.bias {
            try device.accumulate(bias.tensor.reshaped([1, x.shape[1]]), onto: x)
        }
        try device.accumulate(tokenKinds.tensor.rows(0..<1), onto: x)
        return x
    }

    func rotationTable(_ table: [Float], on device: any Device) throws -> Tensor {
        let pairs = configuration.head / 2
        return try device.tensor(table, [table.count / (2 * pairs), pairs, 2])
    }

    /// The modulations of every block at a timestep, computed once for each timestep of the schedule.
    func modulation(timestep: Float, on device: any Device) throws -> TimestepModulation {
        if let known = modulations[timestep] { return known }
        let (vector, common) = try timeEmbedding(timestep, on: device)
        let rows = try blocks.map { block in
            let rows = try device.allocate(common.shape, .float32)
            try device.add(
                block.modulation.tensor.reshaped(common.shape), common, gate: nil, mask: nil,
                alpha: 1, into: rows)
            return BlockModulation(rows: rows)
        }
        let modulation = TimestepModulation(
            blocks: rows, head: try head.modulation(of: vector, on: device))
        modulations[timestep] = modulation
        return modulation
    }
}

/// The modulations of all blocks and of the head, [2, dim], at one timestep.
struct TimestepModulation {
    let blocks: [BlockModulation]
    let head: Tensor
}

/// What the injectors need of one block's sound: for each injecting layer, one condition for each actor.
public struct AudioCondition {
    let layers: [[AudioLayerCondition]]
}

/// The last layer: from tokens to the velocity of latents. In float32.
struct VelocityHead {
    /// [1, 2, dim]: shift and scale.
    let modulation: Parameter
    let projection: Linear

    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        modulation = scope.parameter("modulation", [1, 2, configuration.dim])
        let patch = DenoiserConfiguration.patch * DenoiserConfiguration.patch
        projection = Linear(
            scope.scope("head"), from: configuration.dim,
            to: patch * configuration.latentChannels, as: .float32)
    }

    /// Shift and scale [2, dim] for a timestep's vector [1, dim].
    func modulation(of vector: Tensor, on device: any Device) throws -> Tensor {
        let rows = try device.allocate([2, vector.shape[1]], .float32)
        try device.add(
            modulation.tensor.reshaped(rows.shape), vector, gate: nil, mask: nil, alpha: 1,
            into: rows)
        return rows
    }

    /// The velocity, shaped as `latents`, of tokens x [tokens, dim].
    func callAsFunction(
        _ x: Tensor, vector modulation: Tensor, like latents: Latents, epsilon: Float,
        on device: any Device
    ) throws -> Latents {
        let normalised = try device.allocate(x.shape, .float32)
        try device.layerNorm(
            x, weight: nil, bias: nil, scale: modulation.rows(1..<2),
            shift: modulation.rows(0..<1), epsilon: epsilon, into: normalised)
        let patches = try device.floats(projection(normalised, on: device, as: .float32))
        return Latents(
            patches: patches, channels: latents.channels, frames: latents.frames,
            height: latents.height, width: latents.width, patch: DenoiserConfiguration.patch)
    }
}
