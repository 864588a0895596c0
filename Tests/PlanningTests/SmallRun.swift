import Compute
import Denoiser
import Layers
import Planning
import Tensors

/// A small model that is planned for, and really run on a device that computes nothing.
struct SmallRun {
    var request: PlanRequest

    /// A model of four layers for 80x128 pixels in clips of two blocks.
    init(
        steps: Int = 2, branches: Int = 1, actors: Int = 1, precision: Precision = .bfloat16,
        attention: AttentionType = .activations, head: Int = 64
    ) {
        let sizes = DenoiserConfiguration(
            dim: 3 * head, feedForward: 320, heads: 3, layers: 4, frequency: 32, latentChannels: 4,
            textTokens: 40, audioDim: 24, audioTokens: 4, audioLayers: [0, 2], epsilon: 1e-6)
        request = PlanRequest(
            model: ModelSizes(configuration: sizes, textDim: 28, audioStates: 5),
            grid: LatentGrid(height: 10, width: 16, clipFrames: 6), steps: steps,
            precision: precision, attention: attention)
        request.branches = branches
        request.actors = actors
    }

    /// The plan on a card that holds so many bytes beside tensors' overhead.
    func plan(limit: Int? = nil, rates: CardRates? = .h200) throws -> MemoryPlan {
        try MemoryPlan(
            request,
            at: PlanPlace(name: "card", limit: limit, overhead: CardOverhead(), rates: rates))
    }

    /// Bytes that a real run reaches up to its first block, conversions of weights not counted, and behind that, and what goes over
    /// the link for its last block.
    func run(
        _ residency: DenoiserResidency, on card: CardAbilities = .hopper
    ) throws -> (start: Int, reach: Int, traffic: LinkTraffic) {
        let device = RecordingDevice(
            activationType: request.precision.activationType,
            matrixType: request.precision.matrixType, workspaces: .card(card))
        let transformer = try request.model.transformer()
        let sequence = try sequence(of: transformer, residency, on: device)
        let start = device.arena.reach
        device.forgetReach()
        func traffic() -> LinkTraffic {
            LinkTraffic(
                fetched: transformer.weightTraffic.fetched + sequence.windowTraffic.fetched,
                stored: transformer.weightTraffic.stored + sequence.windowTraffic.stored)
        }
        var before = LinkTraffic()
        // Blocks 0 and 2 have a prefill in front; block 3 is as all that follow.
        for block in 0..<5 {
            before = traffic()
            _ = try sequence.denoise(block, audio: sound, refresh: { conditions.sink })
        }
        let now = traffic()
        return (
            start, device.arena.reach,
            LinkTraffic(
                fetched: now.fetched - before.fetched, stored: now.stored - before.stored)
        )
    }

    /// Loads weights that are not zeros, of which there would be no mean, and denoises so many blocks.
    func run(blocks: Int, on device: any Device) throws {
        let sizes = request.model
        let weights = EqualWeights(
            sizes.configuration.sizingShapes(textDim: sizes.textDim, audioStates: sizes.audioStates)
        )
        let transformer = try CausalTransformer(
            WeightScope(weights), configuration: sizes.configuration)
        let sequence = try sequence(of: transformer, .resident, on: device)
        for block in 0..<blocks {
            _ = try sequence.denoise(block, audio: sound, refresh: { conditions.sink })
        }
    }

    private func sequence(
        of transformer: CausalTransformer, _ residency: DenoiserResidency, on device: any Device
    ) throws -> LatentSequence {
        try transformer.load(on: device, residency: residency)
        return try LatentSequence(
            transformer: transformer, conditions: conditions,
            randomness: DenoisingRandomness(
                noise: { _ in latents(request.grid.clipFrames) }, sinkDistance: { _, _, _ in 17 }),
            grid: request.grid, schedule: FlowSchedule(solver: .euler, steps: request.steps),
            windowType: request.attention.windowType, residency: residency, on: device)
    }

    private var sound: [[Float]] {
        let count =
            DenoiserConfiguration.blockVideoFrames * request.model.audioStates
            * request.model.configuration.audioDim
        return (0..<request.actors).map { _ in [Float](repeating: 0, count: count) }
    }

    private var conditions: DenoisingConditions {
        let context = [Float](repeating: 0, count: request.model.textDim)
        var conditions = DenoisingConditions(
            context: context,
            sink: SinkLatents(
                reference: latents(1), motion: latents(DenoiserConfiguration.motionFrames)))
        if request.branches > 1 { conditions.guidance = .init(context: context, scale: 3) }
        if request.actors > 1 {
            let mask = [Float](repeating: 1, count: request.grid.blockTokens)
            conditions.masks = (0..<request.actors).map { _ in mask }
        }
        return conditions
    }

    private func latents(_ frames: Int) -> Latents {
        let (channels, grid) = (request.model.configuration.latentChannels, request.grid)
        return Latents(
            channels: channels, frames: frames, height: grid.height, width: grid.width,
            values: [Float](repeating: 0, count: channels * frames * grid.height * grid.width))
    }
}

/// Weights that are all of one bfloat16 number, of any shapes that are asked for.
private final class EqualWeights: WeightSource {
    let path = "equal weights"
    private var shapes: [String: Shape]
    private let numbers: UnsafeMutableBufferPointer<UInt16>

    /// Weights of which some shapes are known before they are asked for.
    init(_ shapes: [String: Shape]) {
        self.shapes = shapes
        numbers = .allocate(capacity: 1 << 20)
        let hundredth: UInt16 = 0x3C24
        numbers.initialize(repeating: hundredth)
    }

    deinit { numbers.deallocate() }

    func shape(of path: String) -> Shape? { shapes[path] }

    func claim(_ path: String, shape: Shape) { shapes[path] = shape }

    func view(of path: String) throws -> TensorView {
        let shape = shapes[path]!
        let bytes = UnsafeRawBufferPointer(numbers)[..<(shape.elementCount * 2)]
        return TensorView(
            name: path, dataType: .bfloat16, shape: shape,
            bytes: UnsafeRawBufferPointer(rebasing: bytes), owner: self)
    }
}
