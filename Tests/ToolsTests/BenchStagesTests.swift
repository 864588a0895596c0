import Foundation
import Tensors
import TestSupport
import Testing

/// Timing stages with made-up weights, at sizes that take no time.
@Suite struct BenchStagesTests {
    private let tool = BuiltTool(name: "bench-stages")
    private let small = [
        "--size", "128x64", "--layers", "2", "--divide-widths", "16", "--rounds", "2",
        "--seconds", "2", "--steps", "2",
    ]

    @Test(arguments: ["text", "audio", "encode", "denoise", "decode"])
    func timesEveryStage(stage: String) throws {
        let outcome = try tool.run(["--stage", stage, "--json", "--profile"] + small)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let result = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(result["stage"] as? String == stage)
        #expect(result["device"] as? String == "cpu")
        #expect(result["precision"] as? String == "float32")
        let loading = try #require(result["loading"] as? [String: Any])
        #expect(try #require(loading["bytes"] as? Int) > 10_000)
        let works = try #require(result["works"] as? [[String: Any]])
        #expect(works.count == (stage == "denoise" ? 2 : 1))
        for work in works {
            let times = try #require(work["seconds"] as? [String: Any])
            #expect(times["rounds"] as? Int == 2)
            let ends = ["min", "p10", "median", "p90"].compactMap { times[$0] as? Double }
            #expect(ends.count == 4 && ends == ends.sorted() && ends[0] > 0)
        }
        try checkProfile(result, of: stage)
    }

    private func checkProfile(_ result: [String: Any], of stage: String) throws {
        let profile = try #require(result["profile"] as? [String: Any])
        let rows = try #require(profile["operations"] as? [[String: Any]])
        let total = rows.reduce(0) { $0 + ($1["seconds"] as? Double ?? 0) }
        #expect(total > 0 && total <= profile["seconds"] as? Double ?? 0)
        let main = ["encode", "decode"].contains(stage) ? "convolution" : "attention"
        let row = try #require(
            rows.first { ($0["operation"] as? String ?? "").hasPrefix(main) })
        #expect(try #require(row["flops"] as? Int) > 0)
    }

    /// What it writes is what the real tool reads.
    @Test func writesWhatDenoisingAndDecodingNeed() throws {
        let folder = TemporaryFolder()
        let written = try tool.run(
            ["--write-weights", folder.path("w"), "--write-inputs", folder.path("in")] + small
                + ["--seconds", "4"])
        #expect(written.status == 0, "\(written.errors)")
        #expect(written.output == "")
        // Whole clips of 48 frames.
        let sound = try TensorFile(path: folder.path("in/audio.safetensors"))
        #expect(try sound.tensor("features").shape[0] == 144)
        let outcome = try BuiltTool(name: "denoise-latents").run(
            "--weights", folder.path("w"), "--strict", "--steps", "1", "--clips", "1",
            "--text", folder.path("in/text.safetensors"),
            "--audio", folder.path("in/audio.safetensors"),
            "--reference", folder.path("in/reference.safetensors"),
            "--output", folder.path("latents"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(FileManager.default.fileExists(atPath: folder.path("latents/end.json")))
        let decoded = try BuiltTool(name: "decode-vae").run(
            "--weights", folder.path("w"), "--strict", folder.path("latents"), "--output",
            folder.path("frames"))
        #expect(decoded.status == 0, "\(decoded.errors)")
        #expect(FileManager.default.fileExists(atPath: folder.path("frames/end.json")))
    }

    @Test(arguments: [
        ["--stage", "denoise", "--size", "100x64"], ["--stage", "denoise", "--divide-widths", "3"],
        ["--stage", "sleep"], [], ["--stage", "decode", "--precision", "int8"],
        ["--stage", "text", "--attention", "fp8"],
    ])
    func refusesWhatItCannotTime(arguments: [String]) throws {
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.onlyError != nil)
    }

    /// On a machine without CUDA, one line says what is missing.
    @Test(.disabled(if: FileManager.default.fileExists(atPath: "/dev/nvidiactl")))
    func saysThatThereIsNoCUDA() throws {
        for arguments in [["cuda"], ["cuda:1"]] {
            let outcome = try tool.run(["--stage", "text", "--device"] + arguments)
            #expect(outcome.status == 1)
            let line = try #require(outcome.onlyError)
            #expect(line.contains("libcuda.so.1"))
        }
    }
}
