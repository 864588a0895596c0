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

    package let noisyEmbedding: PatchEmbedding
    package let poseEmbedding: PatchEmbedding
    package let motionEmbedding: MotionEmbedding
    /// [3, dim]: added to noisy, reference and motion tokens.
    let tokenKinds: Parameter
    package let timeEmbedding: TimeEmbedding
    package let textEmbedding: TextEmbedding
    package let audioEncoder: CausalAudioEncoder
    let blocks: [TransformerBlock]
    package let injectors: [AudioInjector]
    package let head: VelocityHead
    let rotary: RotaryEmbedding
    /// The layers' weights that are fetched for each pass; nil for none.
    var streamed: StreamedParameters?
    private var modulations: [Float: TimestepModulation] = [:]

    /// The transformer whose weights are at the root of `scope`; `load` it before use.
    ///
    /// Sizes that the checkpoint denies are found by its claims. Throws `UnusableWeight` for a
    /// weight from which a size follows.
    public init(
        _ scope: WeightScope, configuration: DenoiserConfiguration
    ) throws(UnusableWeight) {
        let dim = configuration.dim
        self.configuration = configuration
        noisyEmbedding = PatchEmbedding(
            scope.scope("patch_embedding"), patch: .block, configuration: configuration)
        poseEmbedding = PatchEmbedding(
            scope.scope("cond_encoder"), patch: .block, configuration: configuration)
        motionEmbedding = MotionEmbedding(
            scope.scope("frame_packer"), configuration: configuration)
        tokenKinds = scope.parameter("trainable_cond_mask.weight", [3, dim])
        timeEmbedding = TimeEmbedding(scope, configuration: configuration)
        textEmbedding = try TextEmbedding(
            scope.scope("text_embedding"), configuration: configuration)
        audioEncoder = try CausalAudioEncoder(
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

    /// The kinds of tokens, each a row of `tokenKinds`.
    enum TokenKind: Int {
        case noisy, reference, motion
    }

    /// What marks tokens of a kind: [1, dim].
    func mark(of kind: TokenKind) -> Tensor {
        tokenKinds.tensor.rows(kind.rawValue..<kind.rawValue + 1)
    }

    /// A table of (cos, sin) as a tensor [tokens, head / 2, 2].
    func rotation(_ table: [Float], on device: any Device) throws -> Tensor {
        try device.tensor(
            table, [table.count / configuration.head, configuration.head / 2, 2])
    }

    /// The modulations of every block at a timestep, computed once for each of the schedule.
    func modulation(timestep: Float, on device: any Device) throws -> TimestepModulation {
        if let known = modulations[timestep] { return known }
        try prepareModulations(timesteps: [timestep], on: device)
        return try modulation(timestep: timestep, on: device)
    }

    /// Computes the modulations at timesteps, so that the weights they are made of can go.
    package func prepareModulations(timesteps: [Float], on device: any Device) throws {
        guard timesteps.contains(where: { modulations[$0] == nil }) else {
            return timeEmbedding.parameters.unload()
        }
        try timeEmbedding.parameters.whileLoaded(on: device) {
            for timestep in timesteps where modulations[timestep] == nil {
                let (vector, common) = try timeEmbedding(timestep, on: device)
                modulations[timestep] = try device.holding(.long) {
                    TimestepModulation(
                        blocks: try blocks.map { try $0.modulation(with: common, on: device) },
                        head: try head.modulation(with: vector, on: device))
                }
            }
        }
    }
}

/// The modulations of all blocks and of the head, [2, dim], at one timestep.
struct TimestepModulation {
    let blocks: [BlockModulation]
    let head: Tensor
}

// MARK: - Conditions

extension CausalTransformer {
    /// A branch of the guidance for a text context [tokens, textDim], with `steps` empty windows of a type: float8_e4m3,
    /// or nil for that of activations.
    public func branch(
        context: [Float], steps: Int, grid: LatentGrid, windowType: DataType? = nil,
        on device: any Device, monitor: Monitor = { _ in }
    ) throws -> GuidanceBranch {
        try branches(
            contexts: [context], steps: steps, grid: grid, windowType: windowType,
            residency: .resident, on: device, monitor: monitor
        ).branches[0]
    }

    /// The same for several contexts, and what their streamed windows share.
    package func branches(
        contexts: [[Float]], steps: Int, grid: LatentGrid, windowType: DataType?,
        residency: DenoiserResidency, on device: any Device, monitor: Monitor
    ) throws -> (branches: [GuidanceBranch], slots: StreamedSlots?) {
        precondition([nil, .float8E4M3, device.activationType].contains(windowType))
        let texts = try texts(contexts, on: device, monitor: monitor)
        let bundle = configuration.windowBundle(
            on: grid, type: windowType ?? device.activationType)
        let slots = try residency.windowSlots(for: bundle, on: device)
        let branches = try texts.map { text in
            try device.holding(.long) {
                let scales =
                    windowType != .float8E4M3
                    ? nil
                    : try blocks.map { try AttentionScales(of: $0.selfAttention, on: device) }
                return try GuidanceBranch(
                    text: text, steps: steps, grid: grid, scales: scales, residency: residency,
                    slots: slots, configuration: configuration, on: device)
            }
        }
        // As blocks use them: step by step, branch by branch, layer by layer.
        slots?.order = (0..<steps).flatMap { step in
            branches.flatMap { $0.windows[step].streamedGroups }
        }
        return (branches, slots)
    }

    /// The keys and values of each layer for each context; what they are made of is needed only once.
    private func texts(
        _ contexts: [[Float]], on device: any Device, monitor: Monitor
    ) throws -> [[KeysAndValues]] {
        let tokens = try textEmbedding.parameters.whileLoaded(on: device) {
            try contexts.map { try textEmbedding($0, on: device) }
        }
        var texts = [[KeysAndValues]](repeating: [], count: contexts.count)
        for (layer, block) in blocks.enumerated() {
            let attention = block.textAttention
            try attention.textParameters.whileLoaded(on: device) {
                for (index, tokens) in tokens.enumerated() {
                    texts[index].append(try attention.keysAndValues(of: tokens, on: device))
                }
            }
            try monitor(Progress("text layers", completed: layer + 1, total: blocks.count))
        }
        return texts
    }

    /// The sound of one block for each actor, [12, layers, features] each, as the injectors need
    /// it.
    public func audioCondition(
        _ actors: [[Float]], on device: any Device
    ) throws -> AudioCondition {
        try audioCondition(of: actors.map { try audioEncoder($0, on: device) }, on: device)
    }

    /// The same of the tokens of each actor.
    package func audioCondition(
        of actors: [AudioTokens], on device: any Device
    ) throws -> AudioCondition {
        AudioCondition(
            layers: try injectors.map { injector in
                try actors.map { try injector.condition($0, on: device) }
            })
    }
}

/// What the injectors need of one block's sound: for each of them, one condition for each actor.
public struct AudioCondition {
    let layers: [[AudioLayerCondition]]
}
