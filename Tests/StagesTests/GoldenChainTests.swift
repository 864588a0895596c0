import Artifacts
import AudioEncoder
import ComputeCPU
import Foundation
import Media
import Stages
import Tensors
import TestSupport
import Testing

/// The whole chain, stage after stage through files, from the goldens' prompt, picture and voice to frames.
@Suite(.serialized) struct GoldenChainTests {
    let folder = TemporaryFolder()
    let weights = Fixtures.path("open/ckpt")
    let goldens: TensorFile

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/pipeline.safetensors"))
    }

    @Test(arguments: [false, true])
    func framesAreThoseOfTheReleasedCode(lora: Bool) throws {
        try encodeText()
        try encodeVoice()
        try encodePicture()
        try writeReplay()
        try denoise(lora: lora)
        try decode()
        try checkFrames(prefix: lora ? "lora." : "")
    }

    private func encodeText() throws {
        let prompt = try #require(goldens.metadata["prompt"])
        try TextStage(weights: weights, strict: true, listener: listen).write(
            prompt: prompt, to: folder.path("text"), as: .float32, on: CPUDevice(),
            toolVersion: "test")
        let context = try TextCondition(path: folder.path("text")).context
        let error = largestDifference(
            context.floats(), try goldens.tensor("context").floats())
        // Observed 4e-7.
        #expect(error <= 1e-5, "\(error)")
    }

    private func encodeVoice() throws {
        let path = Fixtures.path("open/inputs/pipeline_16k_mono.wav")
        let spool = try SampleSpool(
            SoundReader(path: path, rate: Waveform.speechRate), beside: folder.path("audio"))
        try AudioStage(weights: weights, strict: true, listener: listen).write(
            SpeechSamples(count: spool.count, read: spool.samples),
            voice: .file(path, as: "voice"), timing: .init(framesPerSecond: 25, clipFrames: 48),
            to: folder.path("audio"), as: .float32, on: CPUDevice(), memoryLimit: nil,
            toolVersion: "test")
        let features = try AudioCondition(path: folder.path("audio")).features
        let golden = try goldens.tensor("audio_emb")
        let (layers, width, frames) = (golden.shape[0], golden.shape[1], golden.shape[2])
        let values = golden.floats()
        var expected: [Float] = []
        for frame in 0..<frames {
            for row in 0..<layers * width { expected.append(values[row * frames + frame]) }
        }
        let error = largestDifference(
            Array(features.floats().prefix(expected.count)), expected)
        // Observed 3e-6.
        #expect(error <= 5e-5, "\(error)")
    }

    private func encodePicture() throws {
        let picture = try Image(path: Fixtures.path("open/inputs/ref.png"))
        #expect(picture.values == (try goldens.tensor("image.rgb")).bytes.map { $0 })
        let source = FrameSize(height: picture.height, width: picture.width)
        let target = try #require(source.video(maxArea: 8192))
        #expect(target == FrameSize(height: 64, width: 128))
        let framed = picture.framed(to: target)
        #expect(framed.values == (try goldens.tensor("image.resize_crop_64x128")).bytes.map { $0 })
        try ReferenceStage(weights: weights, strict: true, listener: listen).write(
            .init(height: 64, width: 128, pixels: framed.normalized.values), poses: nil,
            routing: nil,
            framing: .init(
                image: .init(width: 150, height: 97), scaled: .init(width: 128, height: 82),
                crop: .init(x: 0, y: 9, size: .init(width: 128, height: 64))),
            provenance: Provenance(tool: "test", toolVersion: "test"),
            to: folder.path("reference"), as: .float32, on: CPUDevice())
        let reference = try Reference(path: folder.path("reference"))
        for (view, name) in [
            (reference.reference, "ref_latents"), (reference.motion, "motion_latents"),
        ] {
            let error = largestDifference(view.floats(), try goldens.tensor(name).floats())
            // Observed 4e-6.
            #expect(error <= 5e-5, "\(name): \(error)")
        }
    }

    private func writeReplay() throws {
        let noise = try goldens.tensor("noise")
        let distance = try goldens.tensor("sink_distance")
        let writer = try Replay.create(
            path: folder.path("replay"), noise: noise.shape, sinkDistance: distance.shape,
            provenance: Provenance(tool: "test", toolVersion: "test"))
        try writer.write(noise.bytes, to: "noise")
        try writer.write(distance.bytes, to: "sink_distance")
        try writer.commit()
    }

    private func denoise(lora: Bool) throws {
        var paths = DenoisingPaths(
            weights: weights, text: folder.path("text"), audio: [folder.path("audio")],
            reference: folder.path("reference"), output: folder.path("latents"))
        paths.replay = folder.path("replay")
        if lora { paths.lora = Fixtures.path("open/ckpt/LiveAvatar") }
        var options = DenoisingOptions()
        options.clips = 2
        try DenoisingStage(
            paths, options: options, strict: true, toolVersion: "test", listener: listen
        ).run(on: CPUDevice(), manner: StreamManner())
        let golden = try goldens.tensor(lora ? "lora.latents" : "latents")
        let expected = golden.floats()
        let frame = golden.shape[3] * golden.shape[4]
        let reader = try StreamReader(path: folder.path("latents"), kind: .latents)
        for index in 0..<8 {
            let block = try #require(try reader.block(index)).tensor("latents").floats()
            var error: Float = 0
            for channel in 0..<16 {
                let start = ((index / 4 * 16 + channel) * 12 + index % 4 * 3) * frame
                let part = Array(block[channel * 3 * frame..<(channel + 1) * 3 * frame])
                error = max(
                    error,
                    largestDifference(part, Array(expected[start..<start + 3 * frame])))
            }
            // Observed at most 1.4e-5; errors of the encoders are carried along.
            #expect(error <= 6e-5, "block \(index): \(error)")
        }
    }

    private func decode() throws {
        try DecodingStage(
            weights: weights, latents: folder.path("latents"), strict: true,
            manner: StreamManner(), listener: listen
        ).write(
            to: folder.path("frames"), blocks: nil, on: CPUDevice(), precision: .float32,
            toolVersion: "test")
    }

    private func checkFrames(prefix: String) throws {
        let reader = try StreamReader(path: folder.path("frames"), kind: .frames)
        var frames: [UInt8] = []
        var index = 0
        while let block = try reader.block(index) {
            frames += try block.tensor("frames").bytes
            index += 1
        }
        let frame = 64 * 128 * 3
        #expect(frames.count == 93 * frame)
        if prefix.isEmpty {
            try compare(Array(frames.prefix(9 * frame)), "frames_first9_u8")
            try compare(Array(frames.suffix(3 * frame)), "frames_last3_u8")
        } else {
            try compare(Array(frames.prefix(frame)), "lora.frames_first1_u8")
        }
        let means = try goldens.tensor(prefix + "frame_mean").floats()
        let deviations = try goldens.tensor(prefix + "frame_std").floats()
        for index in 0..<93 {
            let part = frames[index * frame..<(index + 1) * frame]
            let (mean, deviation) = statistics(part)
            // The goldens' are of frames in -1...1 before truncation to 8 bits, which lowers the mean by half a level.
            let level = 2.0 / 255
            #expect(abs(mean + level / 2 - Double(means[index])) < 4e-4, "frame \(index)")
            #expect(abs(deviation - Double(deviations[index])) < 4e-4, "frame \(index)")
        }
    }

    /// At most one value in 10,000 may be off by a level, none by more.
    private func compare(_ frames: [UInt8], _ name: String) throws {
        let expected = try goldens.tensor(name).bytes
        #expect(frames.count == expected.count)
        let off = zip(frames, expected).filter { abs(Int($0) - Int($1)) == 1 }.count
        let far = zip(frames, expected).filter { abs(Int($0) - Int($1)) > 1 }.count
        #expect(off <= frames.count / 10_000, "\(name): \(off) values are off by one")
        #expect(far == 0, "\(name): \(far) values are off by more")
    }

    /// Mean and unbiased deviation of pixels as numbers in -1...1.
    private func statistics(_ pixels: ArraySlice<UInt8>) -> (Double, Double) {
        let values = pixels.map { Double($0) / 255 * 2 - 1 }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, (squares / Double(values.count - 1)).squareRoot())
    }

    private var listen: StageListener {
        { report in
            if case .warning(let warning) = report { Issue.record("\(warning)") }
        }
    }
}
