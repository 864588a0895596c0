import Artifacts
import Foundation
import Media
import TestSupport
import Testing

/// Input that is rare and right: the built tools take it without a warning, and make of it what it means.
@Suite struct UnusualInputTests {
    let folder = TemporaryFolder()
    var output: String { folder.path("output.safetensors") }

    private func run(_ tool: String, _ arguments: String...) throws {
        let outcome = try BuiltTool(name: tool).run(arguments)
        #expect(
            outcome.status == 0 && !outcome.errors.contains("warning"), "\(outcome.errors)")
    }

    // MARK: Voices

    private func encode(voice: String) throws -> AudioCondition {
        try run("encode-audio", "--weights", TinyRun.weights, voice, "--output", output)
        return try AudioCondition(path: output)
    }

    @Test func aVoiceOf8BitsMonoAt8kHz() throws {
        let voice = folder.path("voice.wav")
        let samples = (0..<8000).map { UInt8(128 + 100 * sin(Double($0) / 9)) }
        try writeWave(samples, rate: 8000, channels: 1, bits: 8, to: voice)
        #expect(try encode(voice: voice).timing.speechFrames == 25)
    }

    @Test func aVoiceOf7Channels() throws {
        let voice = folder.path("voice.wav")
        let samples = (0..<48000 * 7 * 2).map { UInt8(truncatingIfNeeded: $0 * 37) }
        try writeWave(samples, rate: 48000, channels: 7, bits: 16, to: voice)
        #expect(try encode(voice: voice).timing.speechFrames == 25)
    }

    /// All the way: the film has the two frames that begin in it.
    @Test func aVoiceOf50Milliseconds() throws {
        let voice = folder.path("voice.wav")
        let samples = (0..<800 * 2).map { UInt8(truncatingIfNeeded: $0 * 37) }
        try writeWave(samples, rate: 16000, channels: 1, bits: 16, to: voice)
        #expect(try encode(voice: voice).timing.speechFrames == 2)
        let run = try TinyRun.get()
        let (latents, frames) = (folder.path("latents"), folder.path("frames"))
        let metrics = folder.path("metrics.jsonl")
        try self.run(
            "denoise-latents", "--weights", TinyRun.weights, "--text", run.text, "--audio", output,
            "--reference", run.reference, "--output", latents, "--metrics", metrics)
        try self.run(
            "decode-vae", "--weights", TinyRun.weights, latents, "--output", frames, "--metrics",
            metrics)
        #expect(try events(in: metrics) == ["loaded", "block", "loaded", "block"])
        let film = folder.path("film.mp4")
        try self.run("mux-video", "--audio", voice, frames, "--output", film)
        let video = try VideoReader(path: film)
        while try video.next() != nil {}
        #expect(video.frameCount == 2)
    }

    /// The shortest decides, and that is said.
    @Test func twoVoicesOfDifferentLength() throws {
        let voice = folder.path("voice.wav")
        try writeWave([], seconds: 1, rate: 16000, channels: 1, bits: 16, to: voice)
        _ = try encode(voice: voice)
        let run = try TinyRun.get()
        let (latents, masked) = (folder.path("latents"), folder.path("masked"))
        try self.run(
            "encode-vae", "--weights", TinyRun.weights, "--size", "128x64", TinyRun.image,
            "--actor-mask", TinyRun.image, "--actor-mask", TinyRun.image, "--output", masked)
        let outcome = try BuiltTool(name: "denoise-latents").run(
            "--weights", TinyRun.weights, "--text", run.text, "--audio", run.audio, "--audio",
            output, "--reference", masked, "--output", latents)
        #expect(outcome.status == 0)
        let blocks = try StreamReader(path: latents, kind: .latents).description.blocks
        #expect(blocks == 3)
        #expect(
            outcome.errors.contains(
                "the video ends with the shortest of the voices: 3 blocks of 5"),
            "\(outcome.errors)")
    }

    /// What happened, of a file of metrics.
    private func events(in path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8)
            .matches(of: /"event":"(\w+)".*"seconds":/).map(\.1)
    }

    /// Observed: 157 MB, and 154 MB for a sixth of it. The samples alone, as floats, are 461 MB.
    @Test func aVoiceOf2Hours() throws {
        let (voice, metrics) = (folder.path("voice.wav"), folder.path("metrics.jsonl"))
        try writeWave([], seconds: 7200, rate: 16000, channels: 1, bits: 16, to: voice)
        let outcome = try BuiltTool(name: "encode-audio").run(
            "--quiet", "--weights", TinyRun.weights, voice, "--output", output, "--metrics", metrics
        )
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
        let condition = try AudioCondition(path: output)
        #expect(condition.timing.speechFrames == 180_000)
        #expect(condition.features.shape[0] == 180_000)
        // The peak so far in each line, so the whole run's in the last.
        let peak = try #require(
            String(contentsOfFile: metrics, encoding: .utf8)
                .matches(of: /"peak_host_bytes":(\d+)/).last
                .flatMap { Int($0.1) })
        #expect(peak < 250_000_000, "\(peak)")
    }

    // MARK: Pictures

    private func encode(image: String, to name: String, size: String = "128x64") throws -> Reference
    {
        let path = folder.path(name)
        try run(
            "encode-vae", "--weights", TinyRun.weights, "--size", size, image, "--output", path)
        return try Reference(path: path)
    }

    @Test(arguments: [
        (600, 200, "128x64", 16, 8), (200, 900, "128x64", 8, 16), (64, 1000, "1024x64", 8, 128),
    ])
    func aPictureOfAnyShape(
        height: Int, width: Int, size: String, rows: Int, columns: Int
    ) throws {
        let image = folder.path("image.png")
        let values = (0..<height * width * 3).map { UInt8(truncatingIfNeeded: $0 * 13) }
        try Image(height: height, width: width, values: values).writePNG(to: image)
        let shape = try encode(image: image, to: "reference", size: size).reference.shape
        #expect(shape == [16, 1, rows, columns])
    }

    /// A picture is what a picture library makes of it: upright, in colours of 8 bits, without transparency.
    @Test(arguments: [
        "orientation6.png", "orientation3.png", "orientation8.png", "grey.png", "grey-alpha.png",
        "rgba.png", "grey16.png", "rgb16.png", "palette.png", "bits.png", "alpha.webp",
    ])
    func aPictureOfAnyKind(name: String) throws {
        let expected = name.hasPrefix("orientation") ? "orientation1.png" : name
        let plain = Fixtures.path("media/\(expected).expected.png")
        let one = try encode(image: Fixtures.path("media/\(name)"), to: "one", size: "64x64")
        let other = try encode(image: plain, to: "other", size: "64x64")
        #expect(one.reference.floats() == other.reference.floats())
        #expect(one.motion.floats() == other.motion.floats())
    }

    // MARK: Prompts

    @Test func aPromptOf100Kilobytes() throws {
        let file = folder.path("prompt.txt")
        let words = String(repeating: "A man speaks, and speaks. ", count: 4000)
        try words.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(words.utf8.count > 100_000)
        let outcome = try BuiltTool(name: "encode-text").run(
            "--weights", TinyRun.weights, "--prompt-file", file, "--output", output)
        #expect(outcome.status == 0)
        let line = try #require(outcome.onlyError)
        #expect(line.hasPrefix("encode-text: warning: the prompt has "))
        #expect(line.hasSuffix(" tokens more than the model reads; its end is left out"))
        #expect(try TextCondition(path: output).context.shape[0] == 512)
    }

    @Test func aPromptInAFileWithoutItsNewline() throws {
        let file = folder.path("prompt.txt")
        try "A man.\n".write(toFile: file, atomically: true, encoding: .utf8)
        try run(
            "encode-text", "--weights", TinyRun.weights, "--prompt-file", file, "--output", output)
        let condition = try TextCondition(path: output)
        #expect(condition.provenance?.options?["prompt"] == "A man.")
    }
}
