import Checkpoints
import Tensors
import TestSupport
import Testing

/// Claims on checkpoints that are not what the model needs.
@Suite struct WeightBinderTests {
    /// Claims a list of weights and ends the claims.
    private func bind(
        _ tensors: [TensorDescriptor], in checkpoint: any Checkpoint, strict: Bool = false
    ) throws -> [String] {
        let binder = WeightBinder(checkpoint)
        for tensor in tensors { binder.claim(tensor.name, shape: tensor.shape) }
        return try binder.finish(strict: strict)
    }

    @Test func noticesEveryAlterationOfTheTinyCheckpoint() throws {
        let weights = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let parts = [
            try weights.denoiser(), try weights.textEncoder(), try weights.videoVAE(),
            try weights.audioEncoder(),
        ]
        for part in parts {
            let expected = part.tensors
            #expect(try bind(expected, in: part, strict: true) == [])
            let unnoticed = try unnoticedAlterations(of: part) { _ = try bind(expected, in: $0) }
            #expect(unnoticed == [])
        }
    }

    private func checkpoint(_ names: [String], _ dataType: DataType = .bfloat16) throws
        -> DeclaredCheckpoint
    {
        try DeclaredCheckpoint(
            path: "w.safetensors",
            tensors: names.map { TensorDescriptor(name: $0, dataType: dataType, shape: [2, 3]) })
    }

    @Test func listsEverythingInOneLine() throws {
        let binder = WeightBinder(try checkpoint(["a", "b"]))
        binder.claim("a", shape: [3, 2])
        binder.claim("c", shape: [1])
        binder.claim("c", shape: [1])
        let error = #expect(throws: BindingError.self) { try binder.finish(strict: true) }
        #expect(
            error?.description == """
                cannot use 'w.safetensors': tensor 'a' has the shape [2, 3], expected [3, 2]; \
                tensor 'c' is missing, expected [1]; tensor 'b' is not part of the model
                """)
    }

    @Test func cutsALongList() throws {
        let binder = WeightBinder(try checkpoint([]))
        for index in 0..<20 { binder.claim("blocks.\(index).bias", shape: [2]) }
        let error = #expect(throws: BindingError.self) { try binder.finish(strict: false) }
        #expect(error?.problems.count == 20)
        #expect(error?.description.hasSuffix("is missing, expected [2]; and 12 more") == true)
    }

    @Test func warnsOfWhatIsLeftOver() throws {
        let binder = WeightBinder(
            try checkpoint(["a", "lm_head.weight", "x.masked_spec_embed", "encoder.b", "\u{7}z"]))
        binder.claim("a", shape: [2, 3])
        binder.ignore("encoder.")
        #expect(
            try binder.finish(strict: false)
                == ["'w.safetensors': tensor '?z' is not part of the model"])
        #expect(throws: BindingError.self) { try binder.finish(strict: true) }
    }

    @Test func wantsFloats() throws {
        let binder = WeightBinder(try checkpoint(["a"], .int64))
        binder.claim("a", shape: [2, 3])
        let error = #expect(throws: BindingError.self) { try binder.finish(strict: false) }
        #expect(error?.problems.map(\.reason) == ["is int64, expected a float type"])
    }

    @Test func declaresTheRealModelWithoutMemory() throws {
        let shapes = Fixtures.path("real-14B-shapes.json")
        let real = try DeclaredCheckpoint(shapes: shapes, section: "dit", dataType: .bfloat16)
        #expect(real.tensors.count == 1260)
        let bytes = real.tensors.map(\.byteCount).reduce(0, +)
        #expect(bytes > 32_000_000_000)
        let weight = try WeightBinder(real).view(of: "blocks.39.ffn.0.weight")
        #expect(weight.shape == [13824, 5120])
        #expect(weight.bytes.last == 0)
    }
}
