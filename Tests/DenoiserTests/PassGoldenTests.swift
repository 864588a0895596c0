import Compute
import Conformance
import Denoiser
import Layers
import Tensors
import TestSupport
import Testing

/// The conditioning and two passes, layer by layer, against those of the released code.
@Suite struct PassGoldenTests {
    let goldens: TensorFile
    let model: TinyModel
    let inputs: GoldenInputs
    let branch: GuidanceBranch
    var device: any Device { model.device }
    var transformer: CausalTransformer { model.transformer }
    var lastLayer: Int { model.configuration.layers - 1 }

    init() throws {
        goldens = try golden("dit_modules")
        model = try TinyModel()
        inputs = try .denoise()
        branch = try model.transformer.branch(
            context: inputs.conditions.context, steps: 1, grid: model.grid, on: model.device)
    }

    /// Expects a tensor to be near a golden.
    func expect(_ tensor: Tensor, _ name: String) throws {
        try expect(device.floats(tensor), goldens.tensor(name).floats(), name)
    }

    /// Expects numbers to be near others. Observed: conditioning at most 7.2e-6, the window's rows
    /// 1.4e-6, velocities 1.0e-5.
    func expect(_ values: [Float], _ expected: [Float], _ name: String) {
        DenoiserTests.expect(largestDifference(values, expected), within: 2e-5, name)
    }

    // MARK: Conditioning

    @Test func conditioning() throws {
        let sink = inputs.conditions.sink
        let pass = try transformer.prefillPass(
            reference: sink.reference, motion: sink.motion, grid: model.grid, on: device)
        try expect(pass.tokens, "sink.x_in")
        for layer in 0...lastLayer {
            try transformer.prefill(branch, layer: layer, pass, on: device)
            try expect(pass.tokens, "sink.hidden\(layer)")
        }
        try check(layer: 0, "layer0")
        try check(layer: lastLayer, "lastlayer")
    }

    /// Values as they are; keys of the reference before they are turned, of motion after that.
    private func check(layer: Int, _ name: String) throws {
        let kept = try branch.windows[0].reading(layer: layer) { $0.conditioning }
        try expect(kept.values, "sink.cond_v_\(name)")
        let expected = try goldens.tensor("sink.cond_k_\(name)").floats()
        let reference = try device.floats(branch.referenceKeys[layer])
        let rest = expected.count - reference.count
        expect(reference, Array(expected.dropLast(rest)), "sink.cond_k_\(name)")
        let table = try goldens.tensor("sink.freqs").floats()
        let turned = turn(expected, by: table, tokens: model.grid.conditioningTokens)
        expect(try device.floats(kept.keys), turned, "sink.cond_k_\(name), turned")
    }

    /// Each pair of every head of [tokens, heads, head] turned by a table [tokens, head / 2, 2].
    private func turn(_ keys: [Float], by table: [Float], tokens: Int) -> [Float] {
        let (row, head) = (keys.count / tokens, table.count / tokens)
        var turned = keys
        for index in stride(from: 0, to: keys.count, by: 2) {
            let entry = index / row * head + index % row % head
            let (c, s) = (Double(table[entry]), Double(table[entry + 1]))
            let (a, b) = (Double(keys[index]), Double(keys[index + 1]))
            turned[index] = Float(a * c - b * s)
            turned[index + 1] = Float(a * s + b * c)
        }
        return turned
    }

    // MARK: Passes

    /// The prefill, a pass at frame 0, the recorded one at frame 3, and one at frame 15, where the
    /// ring is full and has wrapped, and the reference has rolled on.
    @Test func passes() throws {
        let sink = inputs.conditions.sink
        try transformer.prefill(
            branch, reference: sink.reference, motion: sink.motion, grid: model.grid, on: device)
        let zeros = Latents(channels: 16, frames: 3, height: 8, width: 16)
        _ = try transformer.velocity(
            of: NoisyBlock(
                latents: try inputs.randomness.noise(0).frames(0..<3), pose: zeros, frame: 0,
                timestep: 857.6923, window: 0, sinkDistance: 17), audio: audio(block: 0),
            masks: nil, branch: branch, grid: model.grid, on: device)
        let recorded = try noisy(
            "stream", Latents(goldens.tensor("stream.noisy_latents")),
            pose: Latents(goldens.tensor("stream.cond_latents")))
        try checkLayers(recorded, "stream")
        try checkWindow()
        try checkVelocity(recorded, "stream", block: 1)
        var wrapped = recorded
        wrapped.latents = try inputs.randomness.noise(1).frames(3..<6)
        wrapped.pose = nil
        wrapped.frame = Int(try goldens.tensor("roll.current_start_frame").floats()[0])
        wrapped.sinkDistance = Int(try goldens.tensor("roll.sink_distance").floats()[0])
        wrapped.timestep = try goldens.tensor("roll.timestep").floats()[0]
        try checkLayers(wrapped, "roll")
        try checkVelocity(wrapped, "roll", block: 5)
    }

    private func noisy(_ name: String, _ latents: Latents, pose: Latents) throws -> NoisyBlock {
        NoisyBlock(
            latents: latents, pose: pose,
            frame: Int(try goldens.tensor("\(name).current_start_frame").floats()[0]),
            timestep: try goldens.tensor("\(name).timestep").floats()[0], window: 0,
            sinkDistance: Int(try goldens.tensor("\(name).sink_distance").floats()[0]))
    }

    private func audio(block: Int) throws -> AudioCondition {
        try transformer.audioCondition(inputs.sound(of: block), on: device)
    }

    /// The tokens in front of block 0, and behind it before the sound is added.
    private func checkLayers(_ noisy: NoisyBlock, _ name: String) throws {
        let pass = try transformer.pass(of: noisy, branch: branch, grid: model.grid, on: device)
        try expect(pass.tokens, "\(name).x_in")
        try transformer.run(layer: 0, pass, branch: branch, on: device)
        try expect(pass.tokens, "\(name).x_out")
    }

    /// The rows of the ring behind two blocks.
    private func checkWindow() throws {
        let ring = try branch.windows[0].reading(layer: 0) { $0.ring }
        let rows = 0..<2 * model.grid.blockTokens
        try expect(ring.keys.rows(rows), "stream.cache_k_layer0_after")
        try expect(ring.values.rows(rows), "stream.cache_v_layer0_after")
    }

    private func checkVelocity(_ noisy: NoisyBlock, _ name: String, block: Int) throws {
        let velocity = try transformer.velocity(
            of: noisy, audio: audio(block: block), masks: nil, branch: branch, grid: model.grid,
            on: device)
        let expected = try goldens.tensor("\(name).velocity").floats()
        expect(velocity.values, expected, "\(name).velocity")
    }
}
