import Foundation
import TestSupport
import Testing

/// The least memory that a plan names is what the tool needs, to the byte.
@Suite struct MemoryLimitTests {
    private let folder = TemporaryFolder()

    private func denoise(limit: Int, to output: String) throws -> BuiltTool.Outcome {
        try BuiltTool(name: "denoise-latents").run(
            TinyRun.get().denoising + ["--memory-limit", "\(limit)", "--output", output])
    }

    /// The limit that `plan-run` asks for at least.
    private func planned() throws -> Int {
        let outcome = try BuiltTool(name: "plan-run").run(
            "--weights", TinyRun.weights, "--size", "64x64", "--devices", "cpu", "--json")
        let plan = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        let devices = try #require((plan as? [String: Any])?["devices"] as? [[String: Any]])
        return try #require(devices[0]["minimum_bytes"] as? Int)
    }

    /// What a refusal asks for at least, after making sure that nothing else was done.
    private func refused(limit: Int) throws -> Int {
        let output = folder.path("refused")
        let outcome = try denoise(limit: limit, to: output)
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(!FileManager.default.fileExists(atPath: output))
        let line = try #require(outcome.onlyError, "\(outcome.errors)")
        let needed = try #require(
            line.firstMatch(of: /it needs at least [\d.]+ GiB \((\d+) bytes\),/))
        return try #require(Int(needed.1))
    }

    @Test func denoisesInTheLeastThatARefusalNames() throws {
        let least = try refused(limit: 1)
        #expect(try planned() == least)
        #expect(try refused(limit: least - 1) == least)
        let output = folder.path("latents")
        let outcome = try denoise(limit: least, to: output)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("least limit"))
        let made = try blocks(of: output)
        #expect(made.count > 2)
        #expect(try made == blocks(of: TinyRun.get().latents))
    }
}
