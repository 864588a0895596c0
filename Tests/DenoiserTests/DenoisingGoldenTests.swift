import Denoiser
import Tensors
import TestSupport
import Testing

/// Whole runs of denoising against the released code's latents; every forward's error is carried on in the windows.
@Suite struct DenoisingGoldenTests {
    @Test func firstVelocity() throws {
        let model = try TinyModel()
        let sequence = try model.sequence(model.conditions())
        let audio = try model.inputs.tensor("audio_emb")
        let block = try sequence.denoise(
            0, audio: [TinyModel.audio(audio, frames: 0..<12)], input: nil,
            refreshedReference: { fatalError("the first clip needs none") })
        let golden = try model.inputs.tensor("block0.latents_after_step")
        for (step, latents) in (block.stepInputs + [block.latents]).enumerated() {
            let expected = TinyModel.latents(golden, part: step)
            let error = largestDifference(latents.values, expected.values)
            #expect(error <= 3e-5, "after step \(step + 1): \(error)")
        }
    }

    @Test(arguments: [false, true])
    func threeClips(lora: Bool) throws {
        let model = try TinyModel(lora: lora)
        let audio = try model.inputs.tensor("audio_emb")
        let latents = try run(model, model.conditions(), clips: 3) {
            [TinyModel.audio(audio, frames: $0)]
        }
        let golden = try model.inputs.tensor(lora ? "lora.latents" : "latents")
        let error = errors(latents, golden)
        #expect(error <= 3e-5, "\(error)")
    }

    @Test func pose() throws {
        let model = try TinyModel()
        let extra = try TensorFile(path: Fixtures.path("open/goldens/denoise_extra.safetensors"))
        var conditions = try model.conditions()
        conditions.pose = TinyModel.latents(try extra.tensor("pose.cond_latents"))
        let audio = try model.inputs.tensor("audio_emb")
        let latents = try run(model, conditions, clips: 1) {
            [TinyModel.audio(audio, frames: $0)]
        }
        let error = errors(latents, try extra.tensor("pose.latents"))
        #expect(error <= 3e-5, "\(error)")
    }

    @Test func twoActors() throws {
        let model = try TinyModel()
        let extra = try TensorFile(path: Fixtures.path("open/goldens/denoise_extra.safetensors"))
        let mask = try extra.tensor("actors.mask")
        let perActor = mask.shape.elementCount / mask.shape[0]
        let values = mask.floats()
        var conditions = try model.conditions()
        conditions.masks = (0..<mask.shape[0]).map {
            Array(values[$0 * perActor..<$0 * perActor + model.grid.blockTokens])
        }
        let audio = try extra.tensor("actors.audio_emb")
        let latents = try run(model, conditions, clips: 1) { frames in
            (0..<2).map { TinyModel.audio(audio, actor: $0, frames: frames) }
        }
        let error = errors(latents, try extra.tensor("actors.latents"))
        #expect(error <= 3e-5, "\(error)")
    }

    /// The latents of each block of so many clips.
    private func run(
        _ model: TinyModel, _ conditions: DenoisingConditions, clips: Int,
        audio: (Range<Int>) -> [[Float]]
    ) throws -> [Latents] {
        let sequence = try model.sequence(conditions)
        var blocks: [Latents] = []
        for index in 0..<clips * model.grid.clipBlocks {
            let block = try sequence.denoise(
                index, audio: audio(index * 12..<(index + 1) * 12), input: nil,
                refreshedReference: { blocks[0].frames(0..<1) })
            blocks.append(block.latents)
        }
        return blocks
    }

    /// The largest error of any block against [clips, channels, frames, h, w].
    private func errors(_ blocks: [Latents], _ golden: TensorView) -> Float {
        var largest: Float = 0
        for (index, block) in blocks.enumerated() {
            let clip = TinyModel.latents(golden, part: index / 4)
            let expected = clip.frames(index % 4 * 3..<index % 4 * 3 + 3)
            largest = max(largest, largestDifference(block.values, expected.values))
        }
        return largest
    }
}
