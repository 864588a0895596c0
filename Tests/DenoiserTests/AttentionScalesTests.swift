import Compute
import Denoiser
import Tensors
import TestSupport
import Testing

/// The scales of windows of 8 bits: where they come from, and what is beyond them.
@Suite struct AttentionScalesTests {
    /// The largest float8_e4m3.
    private let largest = Float8E4M3.greatestFiniteMagnitude

    /// A guided model of two layers.
    private func model(windowType: DataType? = .float8E4M3) throws -> SyntheticModel {
        var model = try SyntheticModel(.smallest, height: 8, width: 8, windowType: windowType)
        let context = [Float](model.conditions.context.reversed())
        model.conditions.guidance = .init(context: context, scale: 3)
        return model
    }

    /// What `find` finds in each layer of the first window, with the prompt and then against it.
    private func layers<Found>(
        _ sequence: LatentSequence, of model: SyntheticModel,
        _ find: (LayerWindow) throws -> Found
    ) throws -> [[Found]] {
        try [sequence.positive, #require(sequence.negative)].map { branch in
            try (0..<model.sizes.layers).map {
                try branch.windows[0].reading(layer: $0, find)
            }
        }
    }

    /// The scales of keys and values in each layer of both branches.
    private func scales(
        _ sequence: LatentSequence, of model: SyntheticModel
    ) throws -> [[[Float]]] {
        try layers(sequence, of: model) { window in
            try [window.ring.keys, window.ring.values].flatMap {
                try model.device.floats(#require($0.scales))
            }
        }
    }

    /// Keys' scales follow from the norm's weight, those of values from the image's largest, in
    /// each branch for itself.
    @Test func comeFromWeightsAndImage() throws {
        let (narrow, wide) = (try model(), try model(windowType: nil))
        let sequence = try narrow.sequence()
        _ = try narrow.run(sequence, blocks: 3)
        let image = try wide.sequence()
        _ = try wide.run(image, blocks: 1)
        // Conditioning is not attended to in 8 bits while it is made, so it is the same.
        let values = try layers(image, of: wide) { window in
            try wide.device.floats(window.conditioning.values).map(\.magnitude).max() ?? 0
        }
        let found = try scales(sequence, of: narrow)
        for branch in 0..<2 {
            for layer in 0..<narrow.sizes.layers {
                let name = "blocks.\(layer).self_attn.norm_k.weight"
                let weight = try #require(narrow.checkpoint.weights[name])
                let key = Float(weight.count).squareRoot() * (weight.map(\.magnitude).max() ?? 0)
                let expected = [key / largest, 16 * values[branch][layer] / largest]
                for (scale, expected) in zip(found[branch][layer], expected) {
                    #expect(abs(scale / expected - 1) < 1e-6)
                }
            }
        }
        // The text has been heard behind the first layer.
        #expect(found[0][1] != found[1][1])
    }

    /// A run that begins behind the first clip takes them from the image, not from what refreshes
    /// it.
    @Test func areTheSameAfterARestart() throws {
        let model = try model()
        let sequence = try model.sequence()
        let blocks = try model.run(sequence, blocks: 4)
        let expected = try scales(sequence, of: model)
        let refreshed = try #require(model.refresh(blocks[0].latents))
        func restarted(_ model: SyntheticModel) throws -> LatentSequence {
            let sequence = try model.sequence()
            _ = try sequence.denoise(3, audio: model.sound(of: 3), refresh: { refreshed })
            return sequence
        }
        #expect(try scales(restarted(model), of: model) == expected)
        var mistaken = model
        mistaken.conditions.sink = refreshed
        #expect(try scales(restarted(mistaken), of: mistaken) != expected)
    }

    /// Values beyond the largest become it; those of the image are far below.
    @Test func valuesSaturate() throws {
        let model = try model()
        let sequence = try model.sequence()
        _ = try model.run(sequence, blocks: 1)
        let device = model.device
        let found = try layers(sequence, of: model) { window in
            let row = window.ring.values.rows(0..<1)
            let scale = try device.floats(#require(row.scales))[0]
            let sizes: [Float] = [1, -1, 1.01, -1.01, 2, -2, 1e6, -1e6]
            let beyond = (0..<row.shape.elementCount).map {
                sizes[$0 % sizes.count] * largest * scale
            }
            try device.copy(device.tensor(beyond, row.shape), into: row)
            let kept = try device.floats(row).map { $0 / (largest * scale) }
            let image = try device.floats(window.conditioning.values).map(\.magnitude).max() ?? 0
            return (kept, image / (largest * scale))
        }
        for (kept, image) in found.flatMap(\.self) {
            #expect(kept == kept.indices.map { $0 % 2 == 0 ? 1 : -1 })
            #expect(abs(image - 1 / 16) < 1 / 256)
        }
    }
}
