import Checkpoints
import Compute
import ComputeCPU
import Denoiser
import Layers
import Tensors
import TestSupport

/// The tiny published checkpoint, loaded on the CPU in float32.
struct TinyModel {
    let device: CPUDevice
    let transformer: CausalTransformer
    let configuration: DenoiserConfiguration
    let grid = LatentGrid(height: 8, width: 16, clipFrames: 12)

    /// The tiny model, with or without its LoRA merged.
    init(lora: Bool = false) throws {
        let folder = try WeightFolder(path: Fixtures.path("open/ckpt"))
        var checkpoint = try folder.denoiser()
        if lora {
            let adapter = try LoRA(
                path: WeightFolder.adapterPath(at: Fixtures.path("open/ckpt/LiveAvatar")))
            checkpoint = try MergedCheckpoint(checkpoint, adapter, strict: true)
        }
        let weights = WeightBinder(checkpoint)
        configuration = try DenoiserConfiguration(
            ConfigurationFile(path: folder.denoiserConfigurationPath()))
        transformer = try CausalTransformer(
            WeightScope(weights), configuration: configuration)
        _ = try weights.finish(strict: true)
        device = try CPUDevice()
        try transformer.parameters.load(on: device)
    }

    /// A sequence of the tiny model.
    func sequence(
        _ inputs: GoldenInputs, schedule: FlowSchedule = FlowSchedule(solver: .euler, steps: 4),
        steps: Range<Int>? = nil
    ) throws -> LatentSequence {
        try LatentSequence(
            transformer: transformer, conditions: inputs.conditions,
            randomness: inputs.randomness, grid: grid, schedule: schedule, steps: steps,
            on: device)
    }
}

/// The inputs of a golden run.
struct GoldenInputs {
    var conditions: DenoisingConditions
    var randomness: DenoisingRandomness
    /// [actors, layers, features, frames], or without the actors
    var audio: TensorView
    var actors = 1

    /// The inputs in a file of goldens.
    init(_ file: TensorFile) throws {
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

    /// The inputs of the denoising goldens.
    static func denoise() throws -> GoldenInputs {
        try GoldenInputs(golden("denoise"))
    }

    /// The sound of block `index` for each actor.
    func sound(of index: Int) -> [[Float]] {
        (0..<actors).map {
            rows(of: audio, actor: $0, frames: index * 12..<(index + 1) * 12)
        }
    }
}

/// Opens a file of goldens.
func golden(_ name: String) throws -> TensorFile {
    try TensorFile(path: Fixtures.path("open/goldens/\(name).safetensors"))
}

extension Latents {
    /// A golden's latents [.., channels, frames, h, w]; `part` counts the outer axes' elements.
    init(_ tensor: TensorView, part: Int = 0) {
        let shape = tensor.shape
        let count = shape[-4] * shape[-3] * shape[-2] * shape[-1]
        self.init(
            channels: shape[-4], frames: shape[-3], height: shape[-2], width: shape[-1],
            values: Array(tensor.floats()[part * count..<(part + 1) * count]))
    }
}

/// Frames of audio features [.., layers, features, frames] as [frames, layers, features].
func rows(of features: TensorView, actor: Int = 0, frames: Range<Int>) -> [Float] {
    let total = features.shape[-1]
    let count = features.shape[-3] * features.shape[-2]
    let values = features.floats()
    return frames.flatMap { frame in
        (0..<count).map { values[(actor * count + $0) * total + frame] }
    }
}
