import Foundation
import TestSupport
import Testing

/// From a drawn face, a voice and a prompt to a face that talks: all stages with the trained miniature.
///
/// Observed with the weights of `pipelines/mini-avatar`: correlation 0.894, lag 0, sharpness 9.5, colour change 0.75,
/// and correlation with the other voice 0.16.
@Suite struct TalkingTests {
    let folder = TemporaryFolder()
    let mini = Fixtures.path("../../pipelines/mini-avatar")

    @Test func theMouthFollowsTheVoice() throws {
        try speak(
            "Seven brave sailors followed the northern star, and came home for supper.", "voice")
        try speak("It rains. Why does nobody ever remember to bring one large umbrella?", "other")
        try film(saying: "voice")
        let own = try sync(with: "voice")
        #expect(try #require(own["correlation"]) > 0.7)
        #expect(abs(try #require(own["lag"])) <= 1)
        #expect(try #require(own["sharpness"]) > 2)
        #expect(try #require(own["colour_change"]) < 5)
        #expect(try #require(sync(with: "other")["correlation"]) < 0.4)
    }

    private func speak(_ text: String, _ name: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["espeak-ng", "-v", "en-us", "-w", folder.path(name + ".wav"), text]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "espeak-ng")
    }

    private func film(saying voice: String) throws {
        let weights = ["--weights", mini + "/weights"]
        try run(
            "encode-text",
            weights + ["--prompt", "a calm person", "--output", folder.path("text")])
        try run(
            "encode-audio",
            weights + [folder.path(voice + ".wav"), "--output", folder.path("audio")])
        try run(
            "encode-vae",
            weights + [
                "--size", "128x128", mini + "/faces/glasses.png", "--output",
                folder.path("reference"),
            ])
        try run(
            "denoise-latents",
            weights + [
                "--text", folder.path("text"), "--audio", folder.path("audio"), "--reference",
                folder.path("reference"), "--output", folder.path("latents"),
            ])
        try run(
            "decode-vae", weights + [folder.path("latents"), "--output", folder.path("frames")])
    }

    private func run(_ tool: String, _ arguments: [String]) throws {
        let outcome = try BuiltTool(name: tool).run(arguments)
        try #require(outcome.status == 0, "\(tool): \(outcome.errors)")
    }

    /// The measures of the whole film, by their names in the report.
    private func sync(with voice: String) throws -> [String: Double] {
        let outcome = try BuiltTool(name: "inspect-tensors").run(
            "--sync", folder.path(voice + ".wav"), folder.path("frames"), "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        return try #require((object as? [String: Any])?["whole"] as? [String: Double])
    }
}
