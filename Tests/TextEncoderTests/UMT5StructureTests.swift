import Checkpoints
import Compute
import Layers
import Tensors
import TestSupport
import Testing
import TextEncoder

/// The encoder's shape, seen on a device that computes nothing.
@Suite struct UMT5StructureTests {
    /// The published model's names and shapes.
    private func realWeights() throws -> WeightBinder {
        WeightBinder(
            try DeclaredCheckpoint(
                shapes: Fixtures.path("real-14B-shapes.json"), section: "t5_xxl_encoder",
                dataType: .bfloat16))
    }

    @Test func asksForExactlyThePublishedTensors() throws {
        let weights = try realWeights()
        let encoder = try UMT5Encoder(weights)
        #expect(try weights.finish(strict: true).isEmpty)
        #expect(encoder.sizes.vocabulary == 256_384)
        #expect(encoder.sizes.dim == 4096)
        #expect(encoder.sizes.attentionDim == 4096)
        #expect(encoder.sizes.feedForwardDim == 10_240)
        #expect(encoder.sizes.heads == 64)
        #expect(encoder.sizes.layers == 24)
    }

    /// What is prepared in 8 bits is what is asked for so, no more and no less.
    @Test func matricesAreWhatIsPrepared() throws {
        let weights = try realWeights()
        let matrices = try UMT5Encoder(weights).parameters.filter { $0.type == .matrix }
        let prepared = weights.checkpoint.tensors.filter(PreparedPrecision.isLarge).map(\.name)
        #expect(matrices.flatMap(\.paths).sorted() == prepared.sorted())
        #expect(matrices.count == 24 * 7)
    }

    @Test func recordsThePublishedModelsForward() throws {
        let encoder = try UMT5Encoder(realWeights())
        let device = RecordingDevice(activationType: .bfloat16)
        let context = try encoder.encode([Int32](repeating: 1, count: 512), on: device)
        #expect(context.shape == [512, 4096])
        #expect(context.dataType == .float32)

        let block = """
            rmsNorm(float32[512, 4096], float32[4096]) -> bfloat16[512, 4096]
            linear(bfloat16[512, 4096], bfloat16[4096, 4096]) -> bfloat16[512, 4096]
            linear(bfloat16[512, 4096], bfloat16[4096, 4096]) -> bfloat16[512, 4096]
            linear(bfloat16[512, 4096], bfloat16[4096, 4096]) -> bfloat16[512, 4096]
            gather(float32[32, 64], int32[262144]) -> float32[262144, 64]
            permute(float32[262144, 64]) -> float32[64, 262144]
            attention(bfloat16[1, 512, 64, 64], bfloat16[1, 512, 64, 64], \
            bfloat16[1, 512, 64, 64], float32[64, 512, 512]) -> bfloat16[1, 512, 64, 64]
            linear(bfloat16[512, 4096], bfloat16[4096, 4096]) -> float32[512, 4096]
            rmsNorm(float32[512, 4096], float32[4096]) -> bfloat16[512, 4096]
            linear(bfloat16[512, 4096], bfloat16[10240, 4096]) -> bfloat16[512, 10240]
            linear(bfloat16[512, 4096], bfloat16[10240, 4096]) -> bfloat16[512, 10240]
            multiply(bfloat16[512, 10240], bfloat16[512, 10240]) -> bfloat16[512, 10240]
            linear(bfloat16[512, 10240], bfloat16[4096, 10240]) -> float32[512, 4096]
            """.split(separator: "\n").map(String.init)
        let forward =
            Array(repeating: block, count: 24).flatMap { $0 }
            + ["rmsNorm(float32[512, 4096], float32[4096]) -> float32[512, 4096]"]
        #expect(device.records.map(\.description) == forward)
    }

    @Test func keepsOneBlockInMemoryAndNoEmbeddingTable() throws {
        let encoder = try UMT5Encoder(realWeights())
        let device = RecordingDevice(activationType: .bfloat16)
        _ = try encoder.encode([Int32](repeating: 1, count: 512), on: device)
        // A block has 193 million weights, the table 1050 million.
        #expect(device.peakBytes < 700 << 20)
        #expect(device.allocatedBytes < 1 << 20)

        _ = try encoder.encode([1], on: device, keepingWeights: true)
        #expect(device.allocatedBytes > 9_000_000_000)
        encoder.unload()
        #expect(device.allocatedBytes == 0)
    }

    @Test func namesAWeightThatTellsNoSizes() throws {
        let empty = WeightBinder(try DeclaredCheckpoint(path: "empty.pth", tensors: []))
        let missing = #expect(throws: (any Error).self) { try UMT5Encoder(empty) }
        #expect(
            "\(try #require(missing))"
                == "cannot use 'empty.pth': tensor 'token_embedding.weight' is missing")

        let flat = TensorDescriptor(
            name: "token_embedding.weight", dataType: .float32, shape: [8])
        let vector = WeightBinder(try DeclaredCheckpoint(path: "flat.pth", tensors: [flat]))
        let misshaped = #expect(throws: (any Error).self) { try UMT5Encoder(vector) }
        #expect(
            "\(try #require(misshaped))"
                == "cannot use 'flat.pth': tensor 'token_embedding.weight' has the shape [8], "
                + "expected 2 extents above 0")
    }

    @Test func claimsABlockThatLacksAWeight() throws {
        let real = try DeclaredCheckpoint(
            shapes: Fixtures.path("real-14B-shapes.json"), section: "t5_xxl_encoder",
            dataType: .bfloat16)
        let lacking = WeightBinder(
            try DeclaredCheckpoint(
                path: "lacking.pth",
                tensors: real.tensors.filter { $0.name != "blocks.23.norm1.weight" }))
        _ = try UMT5Encoder(lacking)
        let error = #expect(throws: BindingError.self) { try lacking.finish(strict: false) }
        #expect(
            error?.description
                == "cannot use 'lacking.pth': tensor 'blocks.23.norm1.weight' is missing, "
                + "expected [4096]")
    }

    @Test func namesEveryAlteredWeight() throws {
        let tiny = try WeightFolder(path: Fixtures.path("open/ckpt")).textEncoder()
        let unnoticed = try unnoticedAlterations(of: tiny) {
            let weights = WeightBinder($0)
            _ = try UMT5Encoder(weights)
            _ = try weights.finish(strict: false)
        }
        // Tables may have more rows than the tokenizer has tokens, as the published one has.
        #expect(unnoticed == ["token_embedding.weight longer"])
    }

    @Test(arguments: [0, 11, 22]) func missesABlockBeforeTheLast(index: Int) throws {
        let real = try DeclaredCheckpoint(
            shapes: Fixtures.path("real-14B-shapes.json"), section: "t5_xxl_encoder",
            dataType: .bfloat16)
        let weights = WeightBinder(
            try DeclaredCheckpoint(
                path: "lacking.pth",
                tensors: real.tensors.filter { !$0.name.hasPrefix("blocks.\(index).") }))
        let error = #expect(throws: (any Error).self) {
            _ = try UMT5Encoder(weights)
            _ = try weights.finish(strict: false)
        }
        #expect("\(try #require(error))".contains("tensor 'blocks.\(index)."))
    }

    @Test func refusesTokensOutsideTheTable() throws {
        let encoder = try UMT5Encoder(realWeights())
        let error = #expect(throws: UnknownToken.self) {
            try encoder.encode([5, 256_384], on: RecordingDevice())
        }
        #expect(error?.token == 256_384)
        #expect(throws: UnknownToken.self) { try encoder.encode([-1], on: RecordingDevice()) }
        try encoder.check(largestToken: 256_383)
        #expect(throws: UnknownToken.self) { try encoder.check(largestToken: 256_384) }
    }

    @Test func reportsAndStopsBetweenLayers() throws {
        struct Stop: Error {}
        let encoder = try UMT5Encoder(realWeights())
        let device = RecordingDevice()
        var reports: [Progress] = []
        #expect(throws: Stop.self) {
            try encoder.encode([1], on: device) {
                reports.append($0)
                if $0.completed == 3 { throw Stop() }
            }
        }
        #expect(reports == (1...3).map { Progress("layers", completed: $0, total: 24) })
        #expect(device.records.filter { $0.operation == "attention" }.count == 3)
    }
}
