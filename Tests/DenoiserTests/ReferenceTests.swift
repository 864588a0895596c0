import Denoiser
import TestSupport
import Testing

/// The model against the float64 reference on checkpoints of other sizes than the published ones.
@Suite struct ReferenceTests {
    /// The velocities of successive blocks and steps, each relative to the largest element.
    private func compare(
        _ model: SyntheticModel, blocks: Int, actors: Int = 1, masks: [[Float]]? = nil,
        firstFrame: Int = 0, firstCompared: Int = 0, withPose: Bool = false, _ what: String
    ) throws {
        let reference = ReferenceTransformer(
            model.checkpoint, height: model.grid.height, width: model.grid.width,
            clipFrames: model.grid.clipFrames)
        let sink = model.conditions.sink
        let context = model.conditions.context
        let (device, transformer) = (model.device, model.transformer)
        let branch = try transformer.branch(
            context: context, steps: 1, grid: model.grid, on: device)
        try transformer.prefill(
            branch, reference: sink.reference, motion: sink.motion, grid: model.grid, on: device)
        var cache = reference.emptyCache()
        reference.prefill(
            &cache, reference: sink.reference, motion: sink.motion, context: context)
        let tensors = try masks?.map { try device.tensor($0, [$0.count]) }
        var random = NormalNumbers(seed: 5)
        for index in 0..<blocks {
            let noisy = NoisyBlock(
                latents: random.latents(model.sizes.channels, 3, model.grid),
                pose: withPose ? random.latents(model.sizes.channels, 3, model.grid) : nil,
                frame: firstFrame + 3 * index, timestep: 857.6923 / Float(index + 1), window: 0,
                sinkDistance: 27)
            let sound = model.sound(of: index, actors: actors)
            let velocity = try transformer.velocity(
                of: noisy, audio: transformer.audioCondition(sound, on: device), masks: tensors,
                branch: branch, grid: model.grid, on: device)
            let expected = reference.velocity(
                noisy, features: sound, masks: masks, context: context, cache: &cache)
            guard index >= firstCompared else { continue }
            let scale = expected.map(abs).max() ?? 0
            #expect(scale > 0.5)
            // Observed at most 5.7e-7.
            let errors = zip(velocity.values, expected).map { abs(Double($0) - $1) }
            expect(
                Float((errors.max() ?? .infinity) / scale), within: 2e-5,
                "\(what), block \(index)")
        }
    }

    /// The ring of two blocks is full at the second and wraps at the third; the reference rolls
    /// from the third on.
    @Test func blocks() throws {
        try compare(SyntheticModel(), blocks: 5, "other sizes")
    }

    @Test func smallestSizes() throws {
        try compare(
            SyntheticModel(.smallest, height: 8, width: 8, clipFrames: 12), blocks: 5,
            "smallest sizes")
    }

    @Test func pose() throws {
        try compare(SyntheticModel(), blocks: 2, withPose: true, "pose")
    }

    @Test func actors() throws {
        let model = try SyntheticModel()
        var random = NormalNumbers(seed: 6)
        let masks = (0..<3).map { _ in
            random.floats(model.grid.blockTokens).map { $0 > 0 ? Float(1) : 0 }
        }
        try compare(model, blocks: 2, actors: 3, masks: masks, "three actors")
    }

    /// Sides of which motion's patches leave something over, a portrait like 90 x 50, and one too
    /// low for the coarsest patches.
    @Test(arguments: [(18, 10), (14, 26), (6, 16)])
    func sides(height: Int, width: Int) throws {
        try compare(
            SyntheticModel(.smallest, height: height, width: width), blocks: 3,
            "\(height) x \(width)")
    }

    @Test func fewFramesOfMotion() throws {
        var model = try SyntheticModel(.smallest)
        let motion = model.conditions.sink.motion
        model.conditions.sink.motion = motion.frames(0..<2)
        try compare(model, blocks: 1, "2 frames of motion")
        var random = NormalNumbers(seed: 7)
        model.conditions.sink.motion = random.latents(model.sizes.channels, 23, model.grid)
        try compare(model, blocks: 1, "23 frames of motion")
    }

    /// The released code's tables end at position 45,000. Blocks are compared from the one on at
    /// which the ring is full; before it, a video that is entered there attends to zeros.
    @Test func farPositions() throws {
        try compare(
            SyntheticModel(.smallest), blocks: 4, firstFrame: 3_000_000, firstCompared: 2,
            "frame 3,000,000")
    }
}
