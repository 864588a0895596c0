import Compute
import Denoiser
import Tensors

extension GoldenCase {
    /// Single passes, and whole runs, in which every pass's error is carried on in the windows. Observed in float32 on
    /// the CPU: velocities 1.0e-5; steps 6.7e-6; three clips 6.7e-6, with LoRA 7.7e-6; pipeline 7.1e-6, with LoRA 7.6e-6; pose
    /// 5.2e-6; two actors 4.3e-6; single card offline 6.5e-6, online 7.2e-6.
    public static let denoiser =
        ["", "lora."].flatMap { variant in
            [
                firstVelocity(variant), stepsOfTheFirstBlock(variant),
                run("denoise", "\(variant)latents", clips: 3),
                run("pipeline", "\(variant)latents", clips: 2),
            ]
        } + [pose, twoActors, singleCard("offline"), singleCard("online")]

    private static func hasLoRA(_ name: String) -> Bool { name.hasPrefix("lora.") }

    /// The first pass of a run.
    private static func firstVelocity(_ variant: String) -> GoldenCase {
        GoldenCase("denoiser/\(variant)first.velocity", within: 2e-5) { folder, device in
            let goldens = try folder.file("denoise")
            let model = try GoldenDenoiser(folder, lora: hasLoRA(variant), on: device)
            let inputs = try GoldenInputs(goldens)
            let branch = try model.transformer.branch(
                context: inputs.conditions.context, steps: 1, grid: model.grid,
                windowType: folder.windowType, on: device)
            let sink = inputs.conditions.sink
            try model.transformer.prefill(
                branch, reference: sink.reference, motion: sink.motion, grid: model.grid,
                on: device)
            let noisy = NoisyBlock(
                latents: try inputs.randomness.noise(0).frames(0..<3), frame: 0, timestep: 1000,
                window: 0, sinkDistance: try inputs.randomness.sinkDistance(0, 0, 0))
            let velocity = try model.transformer.velocity(
                of: noisy, audio: model.transformer.audioCondition(inputs.sound(of: 0), on: device),
                masks: nil, branch: branch, grid: model.grid, on: device)
            var comparison = Comparison()
            comparison.add(
                velocity.values, try goldens.tensor("\(variant)first.velocity").floats())
            return comparison
        }
    }

    /// The latents behind every step of the first block.
    private static func stepsOfTheFirstBlock(_ variant: String) -> GoldenCase {
        let name = "\(variant)block0.latents_after_step"
        return GoldenCase("denoiser/\(name)", within: 3e-5) { folder, device in
            let goldens = try folder.file("denoise")
            let model = try GoldenDenoiser(folder, lora: hasLoRA(variant), on: device)
            let inputs = try GoldenInputs(goldens)
            let block = try model.sequence(inputs).denoise(
                0, audio: inputs.sound(of: 0), refresh: { nil })
            let expected = try goldens.tensor(name)
            var comparison = Comparison()
            for (step, latents) in (block.stepInputs + [block.latents]).enumerated() {
                comparison.add(latents.values, Latents(expected, part: step).values)
            }
            return comparison
        }
    }

    /// All blocks of a run with the inputs of its file.
    private static func run(_ file: String, _ name: String, clips: Int) -> GoldenCase {
        GoldenCase("denoiser/\(file) \(name)", within: 3e-5) { folder, device in
            let goldens = try folder.file(file)
            return try GoldenDenoiser(folder, lora: hasLoRA(name), on: device)
                .compare(GoldenInputs(goldens), clips: clips, with: goldens.tensor(name))
        }
    }

    private static let pose = GoldenCase("denoiser/pose", within: 3e-5) { folder, device in
        let extra = try folder.file("denoise_extra")
        var inputs = try GoldenInputs(folder.file("denoise"))
        inputs.conditions.pose = Latents(try extra.tensor("pose.cond_latents"))
        return try GoldenDenoiser(folder, lora: false, on: device)
            .compare(inputs, clips: 1, with: extra.tensor("pose.latents"))
    }

    private static let twoActors = GoldenCase("denoiser/two actors", within: 3e-5) {
        folder, device in
        let extra = try folder.file("denoise_extra")
        let model = try GoldenDenoiser(folder, lora: false, on: device)
        let mask = try extra.tensor("actors.mask")
        let cells = mask.shape.elementCount / mask.shape[0]
        let values = mask.floats()
        var inputs = try GoldenInputs(folder.file("denoise"))
        inputs.conditions.masks = (0..<mask.shape[0]).map {
            Array(values[$0 * cells..<$0 * cells + model.grid.blockTokens])
        }
        inputs.audio = try extra.tensor("actors.audio_emb")
        inputs.actors = 2
        return try model.compare(inputs, clips: 1, with: extra.tensor("actors.latents"))
    }

    /// The released recipe for a single card: the reference is prepared otherwise, and is refreshed never, or together with
    /// the motion, which the released code decodes and encodes again.
    private static func singleCard(_ variant: String) -> GoldenCase {
        GoldenCase("denoiser/single card \(variant)", within: 3e-5) { folder, device in
            let released = try folder.file("single_gpu")
            var inputs = try GoldenInputs(folder.file("pipeline"))
            inputs.conditions.sink = SinkLatents(
                reference: Latents(try released.tensor("ref_latents")),
                motion: Latents(try released.tensor("motion_latents_last19")))
            let motion = Latents(try released.tensor("online.motion_latents_after_clip0_last19"))
            return try GoldenDenoiser(folder, lora: false, on: device).compare(
                inputs, clips: 2, with: released.tensor("\(variant).latents")
            ) { first in
                variant == "offline"
                    ? nil : SinkLatents(reference: first.frames(0..<1), motion: motion)
            }
        }
    }
}

extension GoldenDenoiser {
    /// The latents of all blocks of so many clips beside a golden [clips, channels, frames, h, w]. `refresh` makes the
    /// conditioning after the first clip of block 0, as the streaming recipe does unless said.
    fileprivate func compare(
        _ inputs: GoldenInputs, clips: Int, with expected: TensorView,
        refresh: ((Latents) -> SinkLatents?)? = nil
    ) throws -> GoldenCase.Comparison {
        let sequence = try sequence(inputs)
        let motion = inputs.conditions.sink.motion
        let refresh =
            refresh ?? { SinkLatents(reference: $0.frames(0..<1), motion: motion) }
        var first: Latents?
        var comparison = GoldenCase.Comparison()
        for index in 0..<clips * grid.clipBlocks {
            let block = try sequence.denoise(
                index, audio: inputs.sound(of: index), refresh: { first.flatMap(refresh) })
            if index == 0 { first = block.latents }
            let clip = Latents(expected, part: index / grid.clipBlocks)
            let start = index % grid.clipBlocks * DenoiserConfiguration.blockFrames
            comparison.add(
                block.latents.values,
                clip.frames(start..<start + DenoiserConfiguration.blockFrames).values)
        }
        return comparison
    }
}
