import BenchmarkSupport
import Compute
import ComputeCPU
import Denoiser
import Layers
import Tensors

/// One pass of a middle-size denoiser over a full window.
struct DenoiserBenchmark {
    /// Eight heads of 128 channels, eight layers of which three hear.
    static let configuration = DenoiserConfiguration(
        dim: 1024, feedForward: 2816, heads: 8, layers: 8, frequency: 256, latentChannels: 16,
        textTokens: 512, audioDim: 64, audioTokens: 4, audioLayers: [0, 3, 6], epsilon: 1e-6)
    /// Width of the text's rows.
    static let textDim = 512
    /// Hidden states of an audio encoder.
    static let audioStates = 3

    /// Bytes that a step cannot do without.
    struct Memory {
        var weights = 0
        var textKeysAndValues = 0
        var windows = 0
        var conditioning = 0

        /// Their sum.
        var needed: Int { weights + textKeysAndValues + windows + conditioning }
    }

    /// What the step needs at least.
    let memory: Memory
    private let transformer: CausalTransformer
    private let branch: GuidanceBranch
    private let audio: AudioCondition
    private let noisy: NoisyBlock
    /// 384 x 256 pixels.
    private let grid = LatentGrid(height: 32, width: 48, clipFrames: 12)

    /// A model of made-up weights, loaded, with windows of made-up keys and values.
    init(on device: CPUDevice) throws {
        let configuration = Self.configuration
        let weights = MadeUpWeights(sizes: [
            "text_embedding.0.weight": [configuration.dim, Self.textDim],
            "casual_audio_encoder.weights": [1, Self.audioStates, 1, 1],
        ])
        transformer = try CausalTransformer(WeightScope(weights), configuration: configuration)
        try transformer.parameters.load(on: device)
        var memory = Memory(weights: device.allocatedBytes)
        branch = try transformer.branch(
            context: MadeUpNumbers("context", Self.textDim * 20).floats, steps: 1, grid: grid,
            on: device)
        let row = 2 * configuration.dim * device.activationType.size * configuration.layers
        memory.textKeysAndValues = row * configuration.textTokens
        memory.windows = row * grid.windowTokens
        memory.conditioning = row * grid.conditioningTokens
        self.memory = memory
        try Self.fill(branch, on: device)
        let dim = configuration.dim
        audio = try transformer.audioCondition(
            of: [
                AudioTokens(
                    local: device.tensor(MadeUpNumbers("local", 3 * 5 * dim).floats, [3, 5, dim]),
                    global: device.tensor(MadeUpNumbers("global", 3 * dim).floats, [3, dim]))
            ], on: device)
        let count = configuration.latentChannels * 3 * grid.height * grid.width
        noisy = NoisyBlock(
            latents: Latents(
                channels: configuration.latentChannels, frames: 3, height: grid.height,
                width: grid.width, values: MadeUpNumbers("latents", count).floats),
            frame: grid.clipFrames, timestep: 857.6923, window: 0, sinkDistance: 7)
    }

    /// The velocity of the first block of the second clip.
    func step(on device: any Device) throws -> Latents {
        try transformer.velocity(
            of: noisy, audio: audio, masks: nil, branch: branch, grid: grid, on: device)
    }

    private static func fill(_ branch: GuidanceBranch, on device: any Device) throws {
        func fill(_ tensor: Tensor, _ name: String) throws {
            let numbers = MadeUpNumbers(name, tensor.shape.elementCount)
            let values =
                tensor.dataType == .float32
                ? tensor : try device.allocate(tensor.shape, .float32)
            try device.write(numbers.bytes, to: values)
            if tensor.dataType != .float32 { try device.copy(values, into: tensor) }
        }
        for (layer, reference) in branch.referenceKeys.enumerated() {
            let window = try branch.windows[0].reading(layer: layer) { $0 }
            try fill(reference, "reference.\(layer)")
            try fill(window.conditioning.keys, "sink.k.\(layer)")
            try fill(window.conditioning.values, "sink.v.\(layer)")
            try fill(window.ring.keys, "ring.k.\(layer)")
            try fill(window.ring.values, "ring.v.\(layer)")
        }
    }
}
