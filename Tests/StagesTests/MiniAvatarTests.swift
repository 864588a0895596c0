import Artifacts
import AudioEncoder
import ComputeCPU
import Foundation
import Stages
import Tensors
import TestSupport
import Testing

/// The trained miniature through our stages, against the PyTorch modules that trained it.
@Suite struct MiniAvatarTests {
    let folder = TemporaryFolder()
    let weights = Fixtures.path("../../pipelines/mini-avatar/weights")
    let parity: TensorFile

    init() throws {
        parity = try TensorFile(path: Fixtures.path("mini-avatar/parity.safetensors"))
    }

    @Test func computesWhatItWasTrainedToCompute() throws {
        try encodeText()
        try encodeVoice()
        try encodePicture()
        try denoise()
        try decode()
    }

    private func encodeText() throws {
        try TextStage(weights: weights, strict: true, listener: { _ in }).write(
            prompt: try #require(parity.metadata["prompt"]), to: folder.path("text"),
            as: .float32, on: CPUDevice(), toolVersion: "test")
        let context = try TextCondition(path: folder.path("text")).context
        try expect(context.floats(), "context", within: 1e-4)
    }

    private func encodeVoice() throws {
        let waveform = try parity.tensor("waveform").floats()
        try AudioStage(weights: weights, strict: true, listener: { _ in }).write(
            SpeechSamples(waveform), voice: .init(role: "voice", name: "waveform"),
            timing: .init(framesPerSecond: 25, clipFrames: 48), to: folder.path("audio"),
            as: .float32, on: CPUDevice(), memoryLimit: nil, toolVersion: "test")
        let features = try AudioCondition(path: folder.path("audio")).features
        let count = try parity.tensor("audio_features").shape.elementCount
        try expect(Array(features.floats().prefix(count)), "audio_features", within: 2e-4)
    }

    private func encodePicture() throws {
        let rgb = try parity.tensor("reference_rgb")
        let (height, width) = (rgb.shape[0], rgb.shape[1])
        let size = Framing.Size(width: width, height: height)
        try ReferenceStage(weights: weights, strict: true, listener: { _ in }).write(
            .init(height: height, width: width, pixels: rgb.floats().map { $0 / 255 * 2 - 1 }),
            poses: nil, routing: nil,
            framing: .init(image: size, scaled: size, crop: .init(x: 0, y: 0, size: size)),
            provenance: Provenance(tool: "test", toolVersion: "test"),
            to: folder.path("reference"), as: .float32, on: CPUDevice())
        let reference = try Reference(path: folder.path("reference"))
        try expect(reference.reference.floats(), "reference_latents", within: 2e-4)
    }

    private func denoise() throws {
        let noise = try parity.tensor("noise")
        let distance = try parity.tensor("sink_distance")
        let replay = try Replay.create(
            path: folder.path("replay"), noise: noise.shape, sinkDistance: distance.shape,
            provenance: Provenance(tool: "test", toolVersion: "test"))
        try replay.write(noise.bytes, to: "noise")
        try replay.write(distance.bytes, to: "sink_distance")
        try replay.commit()
        var paths = DenoisingPaths(
            weights: weights, text: folder.path("text"), audio: [folder.path("audio")],
            reference: folder.path("reference"), output: folder.path("latents"))
        paths.replay = folder.path("replay")
        try DenoisingStage(
            paths, options: DenoisingOptions(), strict: true, toolVersion: "test",
            listener: { _ in }
        ).run(on: CPUDevice(), manner: StreamManner())
        let reader = try StreamReader(path: folder.path("latents"), kind: .latents)
        for index in 0..<2 {
            let block = try #require(try reader.block(index)).tensor("latents")
            try expect(block.floats(), "latents_block\(index)", within: 2e-3)
        }
    }

    /// The frame as 8-bit numbers: at most one level apart.
    private func decode() throws {
        try DecodingStage(
            weights: weights, latents: folder.path("latents"), strict: true,
            manner: StreamManner(), listener: { _ in }
        ).write(
            to: folder.path("frames"), blocks: 0..<1, on: CPUDevice(), precision: .float32,
            toolVersion: "test")
        let stream = try StreamReader(path: folder.path("frames"), kind: .frames, needs: 0..<1)
        let frames = try #require(try stream.block(0)).tensor("frames")
        let golden = try parity.tensor("frame3")
        let values = golden.floats()
        let area = golden.shape[1] * golden.shape[2]
        var farthest = 0
        for pixel in 0..<area {
            for channel in 0..<3 {
                let level = Int(
                    min(max((values[channel * area + pixel] + 1) / 2, 0), 1) * 255)
                farthest = max(
                    farthest, abs(level - Int(frames.bytes[3 * pixel + channel])))
            }
        }
        #expect(farthest <= 1)
    }

    private func expect(_ values: [Float], _ name: String, within tolerance: Float) throws {
        let error = largestDifference(values, try parity.tensor(name).floats())
        #expect(error <= tolerance, "\(name): \(error)")
    }
}
