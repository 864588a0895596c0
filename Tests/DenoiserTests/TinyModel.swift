import Checkpoints
import Compute
import ComputeCPU
import Denoiser
import Layers
import Tensors
import TestSupport

/// The tiny published checkpoint, loaded, with the inputs of the denoising goldens.
struct TinyModel {
    let device: CPUDevice
    let transformer: CausalTransformer
    let configuration: DenoiserConfiguration
    let inputs: TensorFile
    let grid = LatentGrid(height: 8, width: 16, clipFrames: 12)

    /// The tiny model on the CPU in float32, with or without its LoRA merged.
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
        transformer = CausalTransformer(WeightScope(weights), configuration: configuration)
        _ = try weights.finish(strict: true)
        device = try CPUDevice()
        try transformer.parameters.load(on: device)
        inputs = try TensorFile(path: Fixtures.path("open/goldens/denoise.safetensors"))
    }

    /// A golden's latents [.., channels, frames, h, w]; `part` counts the outer axes' elements.
    static func latents(_ tensor: TensorView, part: Int = 0) -> Latents {
        let shape = tensor.shape
        let count = shape[-4] * shape[-3] * shape[-2] * shape[-1]
        return Latents(
            channels: shape[-4], frames: shape[-3], height: shape[-2], width: shape[-1],
            values: Array(tensor.floats()[part * count..<(part + 1) * count]))
    }

    /// Frames of audio features [actors, layers, features, frames] of an actor as [frames, layers, features].
    static func audio(_ tensor: TensorView, actor: Int = 0, frames: Range<Int>) -> [Float] {
        let (layers, features, total) = (tensor.shape[-3], tensor.shape[-2], tensor.shape[-1])
        let values = tensor.floats()
        var block: [Float] = []
        for frame in frames {
            for row in 0..<layers * features {
                block.append(values[(actor * layers * features + row) * total + frame])
            }
        }
        return block
    }

    /// The conditions of the denoising goldens.
    func conditions() throws -> DenoisingConditions {
        DenoisingConditions(
            context: try inputs.tensor("context").floats(),
            reference: Self.latents(try inputs.tensor("ref_latents")),
            motion: Self.latents(try inputs.tensor("motion_latents")))
    }

    /// The goldens' noise and sink distances.
    func randomness() throws -> DenoisingRandomness {
        let noise = try inputs.tensor("noise")
        let distances = try inputs.tensor("sink_distance")
        let (blocks, steps) = (distances.shape[1], distances.shape[2])
        let table = distances.floats().map { Int($0) }
        return DenoisingRandomness(
            noise: { Self.latents(noise, part: $0) },
            sinkDistance: { table[($0 * blocks + $1) * steps + $2] })
    }

    /// A sequence with the goldens' randomness.
    func sequence(
        _ conditions: DenoisingConditions, schedule: FlowSchedule? = nil, steps: Range<Int>? = nil
    ) throws -> LatentSequence {
        try LatentSequence(
            transformer: transformer, conditions: conditions, randomness: randomness(),
            grid: grid, schedule: schedule ?? FlowSchedule(solver: .euler, steps: 4),
            steps: steps, on: device)
    }
}
