import Foundation
import Tensors
import TestSupport
import Testing

/// Weights that the tool prepared, read by the other tools.
@Suite struct PreparedWeightsTests {
    private let folder = TemporaryFolder()

    private func run(_ tool: String, _ arguments: String...) throws -> String {
        let outcome = try BuiltTool(name: tool).run(arguments)
        try #require(outcome.status == 0, "\(tool): \(outcome.errors)")
        return outcome.errors
    }

    /// A text encoder in 8 bits gives nearly the published one's context; a second run finds what the first has made.
    @Test func textEncoderIsPreparedWhenAsked() throws {
        let prepared = folder.path("prepared")
        let arguments = ["--weights", TinyRun.weights, "--precision", "int8", "--output", prepared]
        let shard = prepared + "/models_t5_umt5-xxl-enc-00001-of-00001.safetensors"
        let manager = FileManager.default
        let numbers = try (0..<2).map { _ in
            let outcome = try BuiltTool(name: "prepare-weights").run(
                arguments + ["--text-encoder"])
            #expect(outcome.status == 0)
            return try manager.attributesOfItem(atPath: shard)[.systemFileNumber] as? Int
        }
        #expect(numbers[0] == numbers[1])
        let output = folder.path("text.safetensors")
        _ = try run(
            "encode-text", "--weights", prepared, "--prompt", "A man.", "--output", output)
        let context = try context(output)
        let published = try self.context(TinyRun.get().text)
        #expect(context.count == published.count)
        let lost = zip(context, published).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let error = (lost / published.reduce(0) { $0 + $1 * $1 }).squareRoot()
        #expect(error > 0 && error < 0.02)

        // What is prepared is not prepared again.
        let again = try BuiltTool(name: "prepare-weights").run([
            "--weights", prepared, "--output", folder.path("again"),
        ])
        #expect(again.status == 1)
        #expect(again.onlyError?.hasSuffix("it is prepared already") == true)
    }

    /// A byte that flipped on the disk makes no number infinite, but another digest.
    @Test func aShardThatChangedIsNoticed() throws {
        let prepared = folder.path("prepared")
        _ = try run("prepare-weights", "--weights", TinyRun.weights, "--output", prepared)
        let check = { try BuiltTool(name: "inspect-tensors").run("--check", prepared) }
        #expect(try check().status == 0)
        let shard = prepared + "/diffusion_pytorch_model-00001-of-00001.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: shard))
        bytes[bytes.count - 7] ^= 1
        try bytes.write(to: URL(fileURLWithPath: shard))
        let outcome = try check()
        #expect(outcome.status == 1)
        #expect(outcome.onlyError?.contains("it is not what prepare-weights wrote") == true)
        #expect(outcome.onlyError?.contains(shard) == true)
    }

    /// Without `--precision`, it plans for cards what `denoise-latents` does there.
    @Test func plansTheTypeThatIsPrepared() throws {
        let prepared = folder.path("prepared")
        _ = try run(
            "prepare-weights", "--weights", TinyRun.weights, "--precision", "int8", "--output",
            prepared)
        func heading(_ devices: String) throws -> Substring? {
            try BuiltTool(name: "plan-run").run(
                "--weights", prepared, "--size", "128x64", "--devices", devices
            ).output.split(separator: "\n").first
        }
        #expect(try heading("22GiB")?.contains("with int8 weights") == true)
        #expect(try heading("cpu:22GiB")?.contains("with f32 weights") == true)
    }

    /// Another LoRA of the same name is another preparation, whatever its header says.
    @Test func otherPreparationsAreReplacedOnlyIfAsked() throws {
        let (prepared, lora) = (folder.path("prepared"), folder.path("lora.safetensors"))
        let published = Fixtures.path("open/ckpt/LiveAvatar/liveavatar.safetensors")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: published))
        func prepare(_ extra: String...) throws -> BuiltTool.Outcome {
            try bytes.write(to: URL(fileURLWithPath: lora))
            return try BuiltTool(name: "prepare-weights").run(
                ["--quiet", "--weights", TinyRun.weights, "--lora", lora, "--output", prepared]
                    + extra)
        }
        #expect(try prepare().status == 0)
        bytes[bytes.count - 1] ^= 1
        let refused = try prepare()
        #expect(refused.status == 1)
        #expect(
            refused.onlyError
                == "prepare-weights: cannot write '\(prepared)': it was prepared with another LoRA of that name; --overwrite replaces it"
        )
        #expect(try prepare("--overwrite").status == 0)
        #expect(try prepare().status == 0)
    }

    @Test func textEncoderIsLinkedOtherwise() throws {
        let prepared = folder.path("prepared")
        _ = try run("prepare-weights", "--weights", TinyRun.weights, "--output", prepared)
        let names = try FileManager.default.contentsOfDirectory(atPath: prepared)
        #expect(names.filter { $0.hasPrefix("models_t5") } == ["models_t5_umt5-xxl-enc-bf16.pth"])
    }

    /// Files, keys of headers and members of the report are those of FORMATS.md.
    @Test func theFolderIsAsDescribed() throws {
        let prepared = folder.path("prepared")
        _ = try run(
            "prepare-weights", "--weights", TinyRun.weights, "--lora",
            TinyRun.weights + "/LiveAvatar", "--text-encoder", "--output", prepared)
        let page = try ReportPage.text("Sources/Artifacts/FORMATS.md")
        let models = [
            ("diffusion_pytorch_model", "preparation.json"),
            ("models_t5_umt5-xxl-enc", "text-preparation.json"),
        ]
        for (stem, report) in models {
            let (index, shard) = (
                "\(stem).safetensors.index.json", "\(stem)-00001-of-00001.safetensors"
            )
            let file = try TensorFile(path: prepared + "/" + shard)
            #expect(file.tensors.contains { $0.name.hasSuffix("_scale") })
            let errors = file.metadata.keys.filter { $0.hasPrefix("prepared.error.") }
            #expect(errors.count == file.tensors.filter { $0.dataType.isNarrow }.count)
            let members = try [index, report].flatMap {
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(prepared)/\($0)"))
                let object = try JSONSerialization.jsonObject(with: data)
                return try #require(object as? [String: Any]).keys
            }
            let keys = Set(file.metadata.keys).subtracting(errors)
            #expect(keys.count == 5 && members.count == 6)
            for name in [stem + "-00001-of-", index, report] + keys + members {
                #expect(page.contains("`\(name)"), "\(name)")
            }
        }
    }

    private func context(_ path: String) throws -> [Double] {
        try TensorFile(path: path).tensor("context").doubles()
    }
}
