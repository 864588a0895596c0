import Foundation
import TestSupport
import Testing

/// What a tool reads, it does not replace, by whatever name it is called and even if replacing is asked for.
@Suite struct KeptInputsTests {
    private let folder = TemporaryFolder()

    private func refuse(
        _ problem: String, from tool: String, _ arguments: [String],
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try BuiltTool(name: tool).run(["--quiet"] + arguments)
        #expect(outcome.status == 1, sourceLocation: location)
        #expect(outcome.onlyError == "\(tool): \(problem)", sourceLocation: location)
    }

    @Test func latentsAreNotDecodedIntoThemselves() throws {
        let copy = folder.path("latents")
        try FileManager.default.copyItem(atPath: TinyRun.get().latents, toPath: copy)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link"), withDestinationPath: copy)
        let before = try FileManager.default.contentsOfDirectory(atPath: copy).sorted()
        for output in [copy, copy + "/", folder.path("link")] {
            try refuse(
                "cannot write '\(output)': it is the input '\(copy)'", from: "decode-vae",
                ["--weights", TinyRun.weights, copy, "--overwrite", "--output", output])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: copy).sorted() == before)
    }

    @Test func recordingsAreNotEncodedIntoThemselves() throws {
        let voice = folder.path("voice.wav")
        try Data("a recording".utf8).write(to: URL(fileURLWithPath: voice))
        try refuse(
            "cannot write '\(voice)': it is the input '\(voice)'", from: "encode-audio",
            ["--weights", TinyRun.weights, voice, "--overwrite", "--output", voice])
        try refuse(
            "cannot write '\(voice)': it is the input '\(voice)'", from: "mux-video",
            ["--audio", voice, "frames", "--overwrite", "--output", voice])
        #expect(try String(contentsOfFile: voice, encoding: .utf8) == "a recording")
    }

    @Test func streamsAreNotMixedWithOtherFiles() throws {
        try Data().write(to: URL(fileURLWithPath: folder.path("notes.txt")))
        try refuse(
            "cannot continue '\(folder.path)': it is no stream and has other files, as 'notes.txt'; --overwrite starts anew",
            from: "decode-vae",
            ["--weights", TinyRun.weights, TinyRun.get().latents, "--output", folder.path])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.filter { !$0.hasPrefix(".") } == ["notes.txt"])
    }
}
