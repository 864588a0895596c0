import Compute
import ComputeCPU
import Tensors
import TestSupport
import Testing
import VideoVAE

/// What the released pipeline makes of a picture before denoising, and of latents after it.
@Suite struct PipelineTests {
    let goldens: TensorFile
    let device: CPUDevice
    let model: VideoVAE
    let layout = StreamLayout(leadLatents: 7, blockLatents: 3)

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/pipeline.safetensors"))
        device = try CPUDevice()
        model = try TinyVAE.load(on: device)
    }

    @Test func encodesReferenceAndMotion() throws {
        let (reference, motion) = try model.encoder.encodeStill(
            picture(), frameCount: 73, on: device)
        try expectClose(reference, "ref_latents", tolerance: 5e-5)  // observed 1.4e-6
        try expectClose(motion, "motion_latents", tolerance: 5e-5)  // observed 5.1e-6
    }

    @Test func encodesAMissingPose() throws {
        let picture = try device.floats(picture())
        let latents = try model.encoder.encodePose(frameCount: 48, on: device) { range in
            let missing = [Float](repeating: -1, count: range.count * picture.count)
            return try device.tensor(missing, [range.count, 64, 128, 3])
        }
        try expectClose(latents, "default_cond_latents", tolerance: 5e-5)  // observed 5.4e-6
    }

    @Test func encodesTheReferenceOfTheSingleCardRecipe() throws {
        let single = try TensorFile(path: Fixtures.path("open/goldens/single_gpu.safetensors"))
        let (_, latents) = try model.encoder.encodeStill(picture(), frameCount: 5, on: device)
        let expected = try device.tensor("ref_latents", of: single, axes: [0, 1, 2, 3])
        let error = try largestError(piece(latents, 1..<2, on: device), expected, on: device)
        #expect(error < 5e-5, "error \(error)")  // observed 2.5e-6
    }

    @Test func decodesBlocks() throws {
        let start = model.decoder.start(atBlock: 0, of: layout)
        let decoder = StreamingDecoder(model.decoder, at: start, on: device)
        let motion = try device.tensor("motion_latents", of: goldens, axes: [0, 1, 2, 3])
        try decoder.warmUp(piece(motion, start.warmUp, on: device))
        let clips = try device.tensor("latents", of: goldens, axes: [0, 1, 2, 3, 4])
        var frames: [Float] = []
        for clip in 0..<2 {
            for block in 0..<4 {
                let range = layout.blockLatents * block..<layout.blockLatents * (block + 1)
                frames += try device.floats(decoder.decode(piece(clips[clip], range, on: device)))
            }
        }
        let frame = 64 * 128 * 3
        // The released code drops as many frames as a fresh stream would lack.
        try expectFrames(Array(frames.dropFirst(3 * frame)), size: frame)
    }

    /// The reference picture, [1, H, W, 3].
    private func picture() throws -> Tensor {
        try device.tensor("ref_pixels", of: goldens, axes: [1, 2, 3, 0])
    }

    private func expectClose(_ result: Tensor, _ name: String, tolerance: Float) throws {
        let expected = try device.tensor(name, of: goldens, axes: [0, 1, 2, 3])
        let error = try largestError(result, expected, on: device)
        #expect(error < tolerance, "\(name): error \(error)")
    }

    /// Compares the mean of each frame, the last one, and the grey levels of some.
    private func expectFrames(_ frames: [Float], size: Int) throws {
        let values = frames.map { min(max($0, -1), 1) }
        let means = stride(from: 0, to: values.count, by: size).map {
            Float(values[$0..<$0 + size].reduce(0) { $0 + Double($1) } / Double(size))
        }
        let meanError = zip(means, try goldens.tensor("frame_mean").floats()).map { abs($0 - $1) }
        #expect(means.count == 93)
        #expect(try #require(meanError.max()) < 1e-5)  // observed 3.1e-8

        let last = try device.tensor(Array(values.suffix(size)), [1, 64, 128, 3])
        let expected = try device.tensor("frames_last1", of: goldens, axes: [1, 2, 3, 0])
        let error = try largestError(last, expected, on: device)
        #expect(error < 1e-4, "error \(error)")  // observed 3.2e-6

        let levels = values.map { Int(($0 + 1) / 2 * 255) }
        let first = try goldens.tensor("frames_first9_u8").floats().map { Int($0) }
        #expect(zip(levels, first).allSatisfy { abs($0 - $1) <= 1 })
        let end = try goldens.tensor("frames_last3_u8").floats().map { Int($0) }
        #expect(zip(levels.suffix(end.count), end).allSatisfy { abs($0 - $1) <= 1 })
    }
}
