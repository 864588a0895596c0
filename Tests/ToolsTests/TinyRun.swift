import Foundation
import TestSupport
import Testing

/// One run of all stages with the tiny checkpoint, 64 x 64 pixels, by the built tools; what it left is for tests to read and
/// not to change.
struct TinyRun {
    /// The model.
    static let weights = Fixtures.path("open/ckpt")
    /// 2.2 s of speech: 55 frames, 5 blocks.
    static let voice = Fixtures.path("open/inputs/pipeline_16k_mono.wav")
    /// A portrait.
    static let image = Fixtures.path("open/inputs/ref.png")

    /// Made when first asked for; nil if a stage failed, which its own test tells.
    private static let shared: TinyRun? = try? TinyRun()

    private let folder: String

    /// The run. Throws if a stage failed.
    static func get() throws -> TinyRun { try #require(shared, "the tiny run failed") }

    private init() throws {
        folder = NSTemporaryDirectory() + "avatar-tiny-run-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit {
            try? FileManager.default.removeItem(
                atPath: NSTemporaryDirectory() + "avatar-tiny-run-\(getpid())")
        }
        try run("encode-text", "--weights", Self.weights, "--prompt", "A man.", "--output", text)
        try run("encode-audio", "--weights", Self.weights, Self.voice, "--output", audio)
        try run(
            "encode-vae", "--weights", Self.weights, "--size", "64x64", Self.image, "--output",
            reference)
        try run("denoise-latents", denoising + ["--output", latents])
        try run("decode-vae", "--weights", Self.weights, latents, "--output", frames)
    }

    private func run(_ tool: String, _ arguments: String...) throws { try run(tool, arguments) }

    private func run(_ tool: String, _ arguments: [String]) throws {
        let outcome = try BuiltTool(name: tool).run(arguments)
        try #require(outcome.status == 0, "\(tool): \(outcome.errors)")
    }

    /// The path of something that the run left.
    func path(_ name: String) -> String { folder + "/" + name }

    var text: String { path("text.safetensors") }
    var audio: String { path("audio.safetensors") }
    var reference: String { path("reference.safetensors") }
    var latents: String { path("latents") }
    var frames: String { path("frames") }

    /// What the denoiser reads.
    var denoising: [String] {
        ["--weights", Self.weights, "--text", text, "--audio", audio, "--reference", reference]
    }
}

/// Names of the blocks in a stream's folder, and their bytes.
func blocks(of stream: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: stream)
        .filter { $0.hasSuffix(".safetensors") }
    return try Dictionary(
        uniqueKeysWithValues: names.map {
            ($0, try Data(contentsOf: URL(fileURLWithPath: stream + "/" + $0)))
        })
}

/// A PCM wave file of little-endian samples, interleaved. Samples that are missing at the end are zeros that take no space on the disk.
func writeWave(
    _ samples: [UInt8], seconds: Int? = nil, rate: Int, channels: Int, bits: Int, to path: String
) throws {
    let frame = channels * bits / 8
    let size = seconds.map { $0 * rate * frame } ?? samples.count
    func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var header = Array("RIFF".utf8) + number(36 + size, 4) + Array("WAVEfmt ".utf8)
    header += number(16, 4) + number(1, 2) + number(channels, 2) + number(rate, 4)
    header += number(rate * frame, 4) + number(frame, 2) + number(bits, 2)
    header += Array("data".utf8) + number(size, 4)
    try Data(header + samples).write(to: URL(fileURLWithPath: path))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(header.count + size))
    try file.close()
}
