import Checkpoints
import Compute
import Denoiser
import Layers
import Tensors

/// The tiny published denoiser, loaded on a device.
package struct GoldenDenoiser {
    package let device: any Device
    package let transformer: CausalTransformer
    package let configuration: DenoiserConfiguration
    package let grid = LatentGrid(height: 8, width: 16, clipFrames: 12)
    private let residency: DenoiserResidency
    private let windowType: DataType?

    /// The model, with or without its LoRA merged; all of it on the device unless said.
    package init(
        _ folder: GoldenFolder, lora: Bool, on device: any Device,
        residency: DenoiserResidency = .resident
    ) throws {
        let weightFolder = try folder.weights()
        var checkpoint = try weightFolder.denoiser()
        if lora {
            let adapter = try LoRA(path: WeightFolder.adapterPath(at: folder.adapterPath))
            checkpoint = try MergedCheckpoint(checkpoint, adapter, strict: true)
        }
        let weights = WeightBinder(checkpoint)
        configuration = try DenoiserConfiguration(
            ConfigurationFile(path: weightFolder.denoiserConfigurationPath()))
        transformer = try CausalTransformer(
            WeightScope(weights), configuration: configuration)
        _ = try weights.finish(strict: true)
        try transformer.load(on: device, residency: residency)
        // For those that look at single modules.
        try transformer.startParameters.load(on: device)
        self.device = device
        self.residency = residency
        windowType = folder.windowType
    }

    /// A sequence of the model.
    package func sequence(_ inputs: GoldenInputs) throws -> LatentSequence {
        try LatentSequence(
            transformer: transformer, conditions: inputs.conditions,
            randomness: inputs.randomness, grid: grid,
            schedule: FlowSchedule(solver: .euler, steps: 4), windowType: windowType,
            residency: residency, on: device)
    }
}

/// The inputs of a golden run.
package struct GoldenInputs {
    package var conditions: DenoisingConditions
    package var randomness: DenoisingRandomness
    /// [actors, layers, features, frames], or without the actors
    package var audio: TensorView
    package var actors = 1

    /// The inputs in a file of goldens.
    package init(_ file: TensorFile) throws {
        conditions = DenoisingConditions(
            context: try file.tensor("context").floats(),
            sink: SinkLatents(
                reference: Latents(try file.tensor("ref_latents")),
                motion: Latents(try file.tensor("motion_latents"))))
        let noise = try file.tensor("noise")
        let distances = try file.tensor("sink_distance")
        let (blocks, steps) = (distances.shape[1], distances.shape[2])
        let table = distances.floats().map { Int($0) }
        randomness = DenoisingRandomness(
            noise: { Latents(noise, part: $0) },
            sinkDistance: { table[($0 * blocks + $1) * steps + $2] })
        audio = try file.tensor("audio_emb")
    }

    /// The sound of block `index` for each actor.
    package func sound(of index: Int) -> [[Float]] {
        (0..<actors).map {
            rows(of: audio, actor: $0, frames: index * 12..<(index + 1) * 12)
        }
    }
}

extension Latents {
    /// A golden's latents [.., channels, frames, h, w]; `part` counts the outer axes' elements.
    package init(_ tensor: TensorView, part: Int = 0) {
        let shape = tensor.shape
        let count = shape[-4] * shape[-3] * shape[-2] * shape[-1]
        self.init(
            channels: shape[-4], frames: shape[-3], height: shape[-2], width: shape[-1],
            values: Array(tensor.floats()[part * count..<(part + 1) * count]))
    }
}

/// Frames of audio features [.., layers, features, frames] as [frames, layers, features].
package func rows(of features: TensorView, actor: Int = 0, frames: Range<Int>) -> [Float] {
    let total = features.shape[-1]
    let count = features.shape[-3] * features.shape[-2]
    let values = features.floats()
    return frames.flatMap { frame in
        (0..<count).map { values[(actor * count + $0) * total + frame] }
    }
}
