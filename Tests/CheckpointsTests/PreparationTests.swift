import Checkpoints
import Crypto
import Foundation
import Tensors
import TestSupport
import Testing

/// Weights prepared once for all runs.
@Suite struct PreparationTests {
    private let output = TemporaryFolder()
    private let published = Fixtures.path("open/ckpt/Wan2.2-S2V-14B")

    private func denoiser() throws -> any Checkpoint {
        try WeightFolder(path: published).denoiser()
    }

    /// The tiny denoiser with its LoRA merged.
    private func merged() throws -> MergedCheckpoint {
        let path = try WeightFolder.adapterPath(at: Fixtures.path("open/ckpt/LiveAvatar"))
        return try MergedCheckpoint(denoiser(), LoRA(path: path), strict: true)
    }

    @discardableResult
    private func prepare(
        _ precision: PreparedPrecision, from source: any Checkpoint,
        lora: WeightPreparation.Adapter? = nil, replacing: Bool = false
    ) throws -> PreparationReport {
        let preparation = WeightPreparation(
            of: source, as: precision, lora: lora, into: output.path)
        if replacing { try preparation.makeRoom(replacing: true) }
        return try preparation.run()
    }

    @Test(arguments: [(PreparedPrecision.fp8, 0.04), (.int8, 0.02)])
    func roundsEachChannelByItself(precision: PreparedPrecision, limit: Double) throws {
        let source = try merged()
        let report = try prepare(precision, from: source)
        let prepared = try WeightFolder(path: output.path).denoiser()
        #expect(Set(prepared.tensors.map(\.name)) == Set(source.tensors.map(\.name)))
        #expect(report.errors.keys.contains("blocks.0.ffn.0.weight"))
        #expect(report.errors.keys.contains("audio_injector.injector.0.q.weight"))
        #expect(!report.errors.keys.contains("head.head.weight"))
        for tensor in source.tensors {
            let (exact, stored) = try (source.tensor(tensor.name), prepared.tensor(tensor.name))
            #expect(stored.shape == exact.shape)
            guard let error = report.errors[tensor.name] else {
                #expect(stored.bytes.elementsEqual(exact.bytes), "\(tensor.name)")
                continue
            }
            let found = distance(stored.floats(), exact.floats())
            // What is asked for is rounded to bfloat16 once more.
            #expect(
                abs(found - error) < 3e-3 && error < limit, "\(tensor.name): \(found), \(error)")
        }
    }

    @Test func mergesBeforeItRounds() throws {
        let source = try merged()
        try prepare(.bf16, from: source)
        let prepared = try WeightFolder(path: output.path).denoiser()
        let name = "blocks.1.self_attn.q.weight"
        let expected = try source.tensor(name).floats().map { Float(BFloat16($0)) }
        #expect(try prepared.tensor(name).dataType == .bfloat16)
        #expect(try prepared.tensor(name).floats() == expected)
    }

    @Test func goesOnWithWhatIsMissing() throws {
        let source = try denoiser()
        try prepare(.fp8, from: source)
        let shard = try #require(shards().first)
        let (path, bytes) = (output.path(shard), try Data(contentsOf: file(shard)))
        let before =
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        try prepare(.fp8, from: source)
        let after =
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        #expect(before == after)

        // One that was cut short, or is no longer what it was, is made again.
        var altered = bytes
        altered[bytes.count - 1] ^= 1
        for damaged in [bytes.dropLast(), altered] {
            try damaged.write(to: file(shard))
            try prepare(.fp8, from: source)
            #expect(try Data(contentsOf: file(shard)) == bytes)
        }
    }

    /// Another preparation is replaced if that is asked for, its index first.
    @Test func keepsAnotherPreparation() throws {
        let source = try denoiser()
        try prepare(.fp8, from: source)
        let shard = try #require(shards().first)
        let bytes = try Data(contentsOf: file(shard))
        let lora = WeightPreparation.Adapter(description: "a.safetensors times 0.5", digest: "1")
        let merged = try merged()
        #expect(try conflict { try prepare(.int8, from: source) } == "it was prepared in fp8")
        #expect(
            try conflict { try prepare(.fp8, from: merged, lora: lora) }
                == "it was prepared from other weights")
        #expect(
            try conflict { try prepare(.fp8, from: source, lora: lora) }
                == "it was prepared without a LoRA")
        #expect(try Data(contentsOf: file(shard)) == bytes)

        try WeightPreparation(of: merged, as: .fp8, lora: lora, into: output.path)
            .makeRoom(replacing: true)
        #expect(throws: MissingWeightFile.self) {
            try WeightFolder(path: output.path).denoiser()
        }
        try prepare(.fp8, from: merged, lora: lora)
        #expect(try Data(contentsOf: file(shard)) != bytes)
        let other = WeightPreparation.Adapter(description: lora.description, digest: "2")
        #expect(
            try conflict { try prepare(.fp8, from: merged, lora: other) }
                == "it was prepared with another LoRA of that name")
    }

    /// Not even if it is asked for.
    @Test func neverReplacesPublishedWeights() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: published)
        for name in names where name.hasPrefix("diffusion") {
            try FileManager.default.copyItem(
                atPath: "\(published)/\(name)", toPath: output.path(name))
        }
        let error = #expect(throws: PreparationConflict.self) {
            try prepare(.fp8, from: denoiser(), replacing: true)
        }
        #expect(
            "\(try #require(error))"
                == "cannot write '\(output.path)': it holds weights that were not prepared")
    }

    /// What is said to be there instead.
    private func conflict(_ body: () throws -> PreparationReport) throws -> String {
        try #require(#expect(throws: PreparationConflict.self) { _ = try body() }).holds
    }

    @Test func namesAMatrixWithoutScales() throws {
        try prepare(.fp8, from: denoiser())
        let shard = try #require(shards().first)
        let whole = try TensorFile(path: output.path(shard))
        let name = try #require(whole.tensors.first { $0.dataType == .float8E4M3 }?.name)
        let kept = whole.tensors.filter { $0.name != name + "_scale" }
        let lone = output.path("lone.safetensors")
        let writer = try TensorFileWriter(path: lone, tensors: kept)
        for tensor in kept { try writer.write(whole.tensor(tensor.name).bytes, to: tensor.name) }
        try writer.commit()
        let error = #expect(throws: BindingError.self) {
            try PreparedCheckpoint(TensorFile(path: lone))
        }
        #expect("\(try #require(error))".contains("'\(name)' is float8_e4m3 and has no scales"))
    }

    @Test func takesTheOtherModelsAlong() throws {
        let folder = try WeightFolder(path: published)
        try prepare(.fp8, from: folder.denoiser())
        try folder.copyOtherFiles(to: output.path)
        let prepared = try WeightFolder(path: output.path)
        _ = try prepared.denoiserConfigurationPath()
        _ = try (prepared.videoVAE(), prepared.textEncoder(), prepared.audioEncoder())
        #expect(try prepared.mergedLoRA() == nil)
    }

    /// Under the published name's stem, found before the published file, which is not linked.
    @Test(arguments: PreparedPrecision.allCases)
    func preparesTheTextEncoder(precision: PreparedPrecision) throws {
        let folder = try WeightFolder(path: published)
        let source = try folder.textEncoder()
        let report = try WeightPreparation(
            of: source, .textEncoder, as: precision, lora: nil, into: output.path
        ).run()
        try folder.copyOtherFiles(to: output.path, withTextEncoder: false)
        #expect(
            try shards() == [
                "models_t5_umt5-xxl-enc-00001-of-00001.safetensors"
            ])
        #expect(
            !FileManager.default.fileExists(atPath: output.path("models_t5_umt5-xxl-enc-bf16.pth")))
        #expect(FileManager.default.fileExists(atPath: output.path("text-preparation.json")))
        let prepared = try WeightFolder(path: output.path).textEncoder()
        #expect((prepared is PreparedCheckpoint) == (precision != .bf16))
        #expect(Set(prepared.tensors.map(\.name)) == Set(source.tensors.map(\.name)))
        #expect(report.errors.isEmpty == (precision == .bf16))
        #expect(report.errors["blocks.0.pos_embedding.embedding.weight"] == nil)
        for tensor in source.tensors {
            let (exact, stored) = try (source.tensor(tensor.name), prepared.tensor(tensor.name))
            let isMatrix = report.errors[tensor.name] != nil || precision == .bf16
            #expect(
                distance(stored.floats(), exact.floats()) < (isMatrix ? 0.04 : 1e-12),
                "\(tensor.name)")
        }
    }

    /// A shard is hashed while it is written, and when it is found.
    @Test func reportsTheDigestsOfItsShards() throws {
        for _ in 0..<2 {
            let report = try prepare(.int8, from: merged())
            #expect(try report.digests.keys.sorted() == shards())
            for (name, digest) in report.digests {
                let found = SHA256.hash(data: try Data(contentsOf: file(name)))
                #expect(found.map { String(format: "%02x", $0) }.joined() == digest)
            }
        }
    }

    private func shards() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: output.path)
            .filter { $0.hasSuffix(".safetensors") }.sorted()
    }

    private func file(_ name: String) -> URL { URL(fileURLWithPath: output.path(name)) }

    private func distance(_ a: [Float], _ b: [Float]) -> Double {
        let lost = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (lost / b.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }
}
