import Compute
import ComputeCPU
import Conformance
import Layers
import Tensors
import Testing
import VideoVAE

/// A checkpoint of another width than the fixtures', judged by a reference that knows no streams.
@Suite struct ReferenceTests {
    let weights = SeededWeights(width: 8, seed: 11)
    let model: VideoVAE
    let reference: ReferenceVAE

    init() throws {
        model = try VideoVAE(weights)
        reference = ReferenceVAE(weights: weights, width: 8)
    }

    @Test func encodesAsTheReference() throws {
        let video = volume(3, 13, 16, 24, seed: 1)
        let expected = reference.encode(video)
        func error(on device: any Device) throws -> Float {
            try reload(model.encoder.parameters, on: device)
            let pixels = try tensor(video, axes: [1, 2, 3, 0], on: device)
            let latents = try model.encoder.encode(frameCount: video.frames, on: device) {
                pixels.rows($0)
            }
            return try largestError(
                latents, tensor(expected, axes: [0, 1, 2, 3], on: device), on: device)
        }
        let float64 = try error(on: ReferenceDevice())
        #expect(float64 < 1e-6, "error \(float64)")  // observed 1.2e-7
        let float32 = try error(on: CPUDevice())
        print(float64, float32)
        #expect(float32 < 5e-5, "error \(float32)")  // observed 7.2e-7
    }

    @Test func decodesAsTheReference() throws {
        let latents = volume(16, 6, 2, 3, seed: 2)
        let expected = reference.decode(latents)
        func error(on device: any Device) throws -> Float {
            try reload(model.decoder.parameters, on: device)
            let decoder = StreamingDecoder(model.decoder, on: device)
            let frames = try decoder.decode(tensor(latents, axes: [0, 1, 2, 3], on: device))
            return try largestError(
                frames, tensor(expected, axes: [1, 2, 3, 0], on: device), on: device)
        }
        let float64 = try error(on: ReferenceDevice())
        #expect(float64 < 1e-6, "error \(float64)")  // observed 2.4e-7
        let float32 = try error(on: CPUDevice())
        print(float64, float32)
        #expect(float32 < 5e-5, "error \(float32)")  // observed 3.9e-6
    }

    private func reload(_ parameters: [Parameter], on device: any Device) throws {
        for parameter in parameters { parameter.unload() }
        try parameters.load(on: device)
    }

    private func volume(
        _ channels: Int, _ frames: Int, _ height: Int, _ width: Int, seed: UInt64
    ) -> Volume {
        var random = SeededNumbers(seed: seed)
        return .make(channels, frames, height, width) { _, _, _, _ in Double(random.next()) }
    }

    private func tensor(_ volume: Volume, axes: [Int], on device: any Device) throws -> Tensor {
        let whole = try device.tensor(
            volume.values.map { Float($0) },
            [volume.channels, volume.frames, volume.height, volume.width])
        return try device.permuted(whole, axes: axes)
    }
}
