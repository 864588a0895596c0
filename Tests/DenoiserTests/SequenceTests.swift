import Checkpoints
import Denoiser
import TestSupport
import Testing

/// Runs of any number of steps, solver and clip length, and conditions that do not fit.
@Suite struct SequenceTests {
    @Test(arguments: FlowSchedule.Solver.allCases)
    func anyNumberOfSteps(solver: FlowSchedule.Solver) throws {
        let model = try SyntheticModel(.smallest, height: 8, width: 8, clipFrames: 3)
        var last: Latents?
        for steps in 1...20 {
            let schedule = FlowSchedule(solver: solver, steps: steps)
            let blocks = try model.run(model.sequence(schedule), blocks: 2)
            #expect(blocks[1].stepInputs.count == steps - 1)
            #expect(blocks.allSatisfy { $0.latents.isFinite })
            #expect(blocks[1].latents != last)
            last = blocks[1].latents
        }
    }

    /// A video starts anywhere: its first clip as it would alone, whatever came before it.
    @Test func startsAnywhere() throws {
        let model = try SyntheticModel(.smallest)
        let sequence = try model.sequence()
        let refresh = model.refresh(model.noise(7))
        let far = 1_000_000
        let blocks = try (far..<far + 3).map {
            try sequence.denoise($0, audio: model.sound(of: $0), refresh: { refresh }).latents
        }
        #expect(blocks.allSatisfy { $0.isFinite })
        #expect(Set(blocks.map(\.values)).count == 3)
    }

    @Test func randomnessOfASeed() throws {
        let grid = LatentGrid(height: 4, width: 6, clipFrames: 6)
        let random = DenoisingRandomness(
            seed: 420, channels: 2, grid: grid, multiprocessors: 132)
        let expected = PhiloxRandom(seed: 423).normals(count: 2 * 6 * 24, multiprocessors: 132)
        #expect(try random.noise(3).values == expected)
        #expect((4...30).contains(try random.sinkDistance(1, 2, 3)))
    }

    // MARK: Conditions that do not fit

    private func expectError(
        _ message: String, _ model: SyntheticModel, sound: [[Float]]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(sourceLocation: sourceLocation) {
            _ = try model.sequence().denoise(
                0, audio: sound ?? model.sound(of: 0), refresh: noRefresh)
        } throws: {
            "\($0)" == message
        }
    }

    @Test func unfitConditions() throws {
        let model = try SyntheticModel()
        func change(_ change: (inout DenoisingConditions) -> Void) -> SyntheticModel {
            var changed = model
            change(&changed.conditions)
            return changed
        }
        expectError(
            "tensor 'context' has 29 elements, the model takes rows of 28, at most 40",
            change { $0.context = [Float](repeating: 0, count: 29) })
        expectError(
            "tensor 'context' has 1148 elements, the model takes rows of 28, at most 40",
            change {
                $0.guidance = .init(context: [Float](repeating: 0, count: 41 * 28), scale: 2)
            })
        expectError(
            "tensor 'reference' has the shape [6, 2, 10, 18], expected [6, 1, 10, 18]",
            change { $0.sink.reference = $0.sink.motion.frames(0..<2) })
        expectError(
            "tensor 'motion' has the shape [6, 19, 18, 10], expected [6, 19, 10, 18]",
            change {
                $0.sink.motion = Latents(channels: 6, frames: 19, height: 18, width: 10)
            })
        expectError(
            "tensor 'pose' has 2 latent frames, block 0 needs 3",
            change { $0.pose = $0.sink.motion.frames(0..<2) })
        expectError(
            "tensor 'mask' has 134 cells in 3 frames, the latents need 135",
            change { $0.masks = [[Float](repeating: 1, count: 134)] })
    }

    @Test func unfitSound() throws {
        var model = try SyntheticModel()
        let sound = model.sound(of: 0)
        expectError(
            "tensor 'features' has 1199 elements in a block, the model needs 1200", model,
            sound: [sound[0].dropLast()])
        expectError(
            "tensor 'mask' is missing, the sound is of 2 actors", model,
            sound: model.sound(of: 0, actors: 2))
        model.conditions.masks = [[Float](repeating: 1, count: model.grid.blockTokens)]
        expectError(
            "tensor 'mask' is for another number of actors (1) than the sound (2)", model,
            sound: model.sound(of: 0, actors: 2))
    }

    @Test func damagedNumbers() throws {
        var model = try SyntheticModel(.smallest)
        model.conditions.context[3] = .nan
        expectError(
            "block 0 is not finite after step 1: the weights or the conditions are damaged", model)
    }

    /// The LoRA of the tiny published model has the right names and the wrong sizes for this one.
    @Test func adapterOfAnotherModel() throws {
        let folder = TemporaryFolder()
        try SyntheticCheckpoint().write(to: folder.path)
        let adapter = try LoRA(
            path: WeightFolder.adapterPath(at: Fixtures.path("open/ckpt/LiveAvatar")))
        let checkpoint = try WeightFolder(path: folder.path).denoiser()
        let error = #expect(throws: BindingError.self) {
            _ = try MergedCheckpoint(checkpoint, adapter, strict: false)
        }
        let message = "\(try #require(error))"
        #expect(message.contains("'\(adapter.path)': tensor 'audio_injector."))
        #expect(message.contains("makes [48, 48], the weight"))
        #expect(message.contains("has the shape [80, 80]"))
    }
}

/// What the first clip must not ask for.
private func noRefresh() -> SinkLatents? {
    Issue.record("the first clip asks for a refresh")
    return nil
}
