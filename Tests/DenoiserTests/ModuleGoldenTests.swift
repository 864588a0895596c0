import Compute
import Conformance
import Denoiser
import Layers
import Tensors
import TestSupport
import Testing

/// Single modules against what the released ones give.
@Suite struct ModuleGoldenTests {
    let goldens: TensorFile
    let model: TinyModel
    var device: any Device { model.device }
    var transformer: CausalTransformer { model.transformer }

    init() throws {
        goldens = try golden("dit_modules")
        model = try TinyModel()
    }

    /// Expects a tensor to be near a golden, or some of its elements. Observed: time 2.4e-7, text
    /// 2.4e-7, motion 6.2e-6 (its sums have up to 4096 terms), sound 1.1e-6, injection 7.2e-7, head
    /// 9.6e-7.
    func expect(
        _ tensor: Tensor, _ name: String, _ range: Range<Int>? = nil, within tolerance: Float
    ) throws {
        try expect(device.floats(tensor), name, range, within: tolerance)
    }

    /// Expects numbers to be near a golden, or some of its elements.
    func expect(
        _ values: [Float], _ name: String, _ range: Range<Int>? = nil, within tolerance: Float
    ) throws {
        let golden = try goldens.tensor(name).floats()
        let expected = range.map { Array(golden[$0]) } ?? golden
        DenoiserTests.expect(
            largestDifference(values, expected), within: tolerance, name)
    }

    /// A golden on the device, in another shape where one is given.
    func tensor(_ name: String, _ shape: Shape? = nil) throws -> Tensor {
        let view = try goldens.tensor(name)
        return try device.tensor(view.floats(), shape ?? view.shape)
    }

    // MARK: Embeddings

    @Test func time() throws {
        let times = try goldens.tensor("time.t").floats()
        let dim = model.configuration.dim
        for (row, time) in times.enumerated() {
            let width = model.configuration.frequency
            let sinusoid = TimeEmbedding.sinusoid(time, width: width)
            let (vector, modulations) = try transformer.timeEmbedding(time, on: device)
            try expect(
                sinusoid, "time.sinusoid", row * width..<(row + 1) * width, within: 1e-5)
            try expect(vector, "time.e", row * dim..<(row + 1) * dim, within: 1e-5)
            let six = row * 6 * dim..<(row + 1) * 6 * dim
            try expect(modulations, "time.e0", six, within: 1e-5)
        }
    }

    @Test func text() throws {
        let tokens = try transformer.textEmbedding(
            goldens.tensor("text.in").floats(), on: device)
        let rows = model.configuration.textTokens
        #expect(tokens.shape[0] == rows)
        try expect(tokens.rows(0..<40), "text.out_first40", within: 1e-5)
        try expect(tokens.rows(rows - 1..<rows), "text.out_last", within: 1e-5)
    }

    @Test func motion() throws {
        let motion = try GoldenInputs.denoise().conditions.sink.motion
        let short = motion.frames(0..<5)
        for (latents, name) in [(motion, "framepack.tokens"), (short, "framepack.short_tokens")] {
            let tokens = try device.allocate(goldens.tensor(name).shape, .float32)
            try transformer.motionEmbedding.embed(latents, into: tokens, on: device)
            try expect(tokens, name, within: 1e-5)
        }
        let positions = RotaryPositions(
            embedding: RotaryEmbedding(head: model.configuration.head), grid: model.grid)
        #expect(positions.motion() == (try goldens.tensor("framepack.rope").floats()))
    }

    // MARK: Sound

    @Test func audio() throws {
        let encoder = transformer.audioEncoder
        let features = rows(of: try goldens.tensor("audio.in12"), frames: 0..<12)
        let mixed = try encoder.prependingMotion(to: encoder.mixingLayers(of: features))
        let mix = try goldens.tensor("audio.layer_mix_in85")
        DenoiserTests.expect(
            largestDifference(mixed, transposed(mix)), within: 1e-5, "audio.layer_mix_in85")

        let sequences = try encoder.sequences(of: mixed, on: device)
        try expect(sequences.global, "audio.global_full", within: 2e-5)
        let local = try goldens.tensor("audio.local_full")
        let (steps, tokens, dim) = (local.shape[0], local.shape[1], local.shape[2])
        let expected = local.floats()
        for (token, sequence) in sequences.local.enumerated() {
            let starts = (0..<steps).map { ($0 * tokens + token) * dim }
            let rows = starts.flatMap { expected[$0..<$0 + dim] }
            DenoiserTests.expect(
                largestDifference(try device.floats(sequence), rows), within: 2e-5,
                "audio.local_full")
        }
        let last = try encoder(features, on: device)
        try expect(last.local, "audio.local", within: 2e-5)
        try expect(last.global, "audio.global", within: 2e-5)
    }

    /// A golden [a, b] as [b, a].
    private func transposed(_ view: TensorView) -> [Float] {
        let (values, rows, columns) = (view.floats(), view.shape[0], view.shape[1])
        return (0..<columns).flatMap { column in
            (0..<rows).map { values[$0 * columns + column] }
        }
    }

    /// The small input shows the norm's epsilon, which is another than the blocks'.
    @Test(arguments: ["inject", "inject_small", "inject2"])
    func injection(name: String) throws {
        let injector = transformer.injectors[0]
        let dim = model.configuration.dim
        var sounds: [AudioTokens] = []
        var masks: [Tensor]?
        if name == "inject" {
            sounds = [
                AudioTokens(
                    local: try tensor("inject.audio_local"),
                    global: try tensor("inject.audio_global", [3, dim]))
            ]
        } else {
            let features = try goldens.tensor("inject2.audio_in12")
            sounds = try (0..<(name == "inject2" ? 2 : 1)).map {
                try transformer.audioEncoder(
                    rows(of: features, actor: $0, frames: 0..<12), on: device)
            }
        }
        if name == "inject2" {
            let mask = try goldens.tensor("inject2.mask").floats()
            let cells = mask.count / 2
            masks = try (0..<2).map { actor in
                let block = mask[actor * cells..<actor * cells + model.grid.blockTokens]
                return try device.tensor(Array(block), [block.count])
            }
        }
        let x = try tensor("\(name).x_in")
        let conditions = try sounds.map { try injector.condition($0, on: device) }
        try injector.inject(conditions, masks: masks, into: x, on: device)
        // With the blocks' epsilon the small input is off by 0.06.
        try expect(x, "\(name).x_out", within: 2e-5)
    }

    // MARK: Head

    @Test func head() throws {
        let x = try tensor("head.x_in")
        let dim = model.configuration.dim
        let vectors = try tensor("head.e")
        let like = Latents(try goldens.tensor("head.unpatchified"))
        let velocity = try transformer.head(
            x,
            modulation: transformer.head.modulation(
                with: vectors.rows(0..<1).reshaped([1, dim]), on: device), like: like,
            epsilon: model.configuration.epsilon, on: device)
        try expect(velocity.values, "head.unpatchified", within: 2e-5)
    }
}
