import Foundation
import TestSupport
import Testing

/// A block in the middle of a stream that is missing or damaged: one line, and what was made of the blocks before it goes on
/// when the block is whole again.
@Suite struct DamagedStreamTests {
    let folder = TemporaryFolder()
    /// A block in the middle.
    let name = "000002.safetensors"

    enum Damage: String, CaseIterable {
        case missing, truncated, altered, empty
    }

    /// Does it to a block; returns what the tools have to say of it.
    private func damage(_ damage: Damage, _ path: String) throws -> String {
        let file = URL(fileURLWithPath: path)
        var bytes = try Data(contentsOf: file)
        switch damage {
        case .missing:
            try FileManager.default.removeItem(at: file)
            return "it is missing"
        case .truncated:
            try bytes.prefix(bytes.count - 100).write(to: file)
            return "is truncated"
        case .altered:
            bytes[bytes.count - 100] ^= 1
            try bytes.write(to: file)
            return "damaged: its bytes are not those that were written"
        case .empty:
            try Data().write(to: file)
            return "the file is empty"
        }
    }

    /// A copy of a stream that may be damaged.
    private func copy(_ stream: String) throws -> String {
        let copy = folder.path("damaged")
        try FileManager.default.copyItem(atPath: stream, toPath: copy)
        return copy
    }

    private func expectRefusal(
        _ tool: String, _ arguments: [String], _ path: String, _ reason: String
    ) throws {
        let outcome = try BuiltTool(name: tool).run(arguments + ["--quiet"])
        #expect(outcome.status == 1)
        let line = try #require(outcome.onlyError, "\(outcome.errors)")
        #expect(line.hasPrefix("\(tool): cannot read '\(path)': "), "\(line)")
        #expect(line.contains(reason), "\(line)")
    }

    @Test(arguments: Damage.allCases)
    func ofLatentsToDecode(kind: Damage) throws {
        let run = try TinyRun.get()
        let latents = try copy(run.latents)
        let block = latents + "/" + name
        let reason = try damage(kind, block)
        let output = folder.path("frames")
        let arguments = ["--weights", TinyRun.weights, latents, "--output", output]
        try expectRefusal("decode-vae", arguments, block, reason)
        if kind != .missing {
            #expect(
                Set(try blocks(of: output).keys) == ["000000.safetensors", "000001.safetensors"])
        }
        try? FileManager.default.removeItem(atPath: block)
        try FileManager.default.copyItem(atPath: run.latents + "/" + name, toPath: block)
        #expect(try BuiltTool(name: "decode-vae").run(arguments).status == 0)
        #expect(try blocks(of: output) == blocks(of: run.frames))
    }

    @Test(arguments: Damage.allCases)
    func ofLatentsBetweenSteps(kind: Damage) throws {
        let run = try TinyRun.get()
        let part = folder.path("damaged")
        let denoiser = BuiltTool(name: "denoise-latents")
        let first = try denoiser.run(
            run.denoising + [
                "--step-range", "1-2", "--refresh-from", run.latents, "--output", part,
            ])
        #expect(first.status == 0)
        let reason = try damage(kind, part + "/" + name)
        let arguments =
            run.denoising + [
                "--step-range", "3-4", "--input", part, "--output", folder.path("latents"),
            ]
        try expectRefusal("denoise-latents", arguments, part + "/" + name, reason)
    }

    @Test(arguments: Damage.allCases)
    func ofFramesToMux(kind: Damage) throws {
        let frames = try copy(TinyRun.get().frames)
        let reason = try damage(kind, frames + "/" + name)
        let film = folder.path("film.mp4")
        try "a film".write(toFile: film, atomically: true, encoding: .utf8)
        let arguments = ["--audio", TinyRun.voice, frames, "--output", film, "--overwrite"]
        try expectRefusal("mux-video", arguments, frames + "/" + name, reason)
        #expect(try String(contentsOfFile: film, encoding: .utf8) == "a film")
    }
}
