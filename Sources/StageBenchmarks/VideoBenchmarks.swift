import Compute
import Layers
import Tensors
import VideoVAE

/// A portrait to the reference and the 73 frames of motion before the video.
final class EncodingBenchmark: StageBenchmark {
    let weights: SyntheticWeights
    private let model: VideoVAE
    private let subject: BenchmarkSubject

    /// Frames that the portrait is shown before the video.
    private static let motionFrames = 73

    init(_ subject: BenchmarkSubject) throws {
        weights = SyntheticWeights(.float32, sizes: subject.sizes.videoShapes)
        model = try VideoVAE(weights)
        self.subject = subject
    }

    func load(on device: any Device) throws { try model.encoder.parameters.load(on: device) }

    func prepare(on device: any Device) throws -> [TimedWork] {
        let shape: Shape = [1, subject.height, subject.width, model.architecture.pixelChannels]
        let pixels = try device.tensor(
            RandomNumbers.floats(shape.elementCount, seed: 1).map { $0 / 2 }, shape)
        return [
            TimedWork("reference and motion") { [model] in
                _ = try model.encoder.encodeStill(
                    pixels, frameCount: Self.motionFrames, on: device)
            }
        ]
    }
}

/// A block of three latents in the middle of a stream to twelve frames.
final class DecodingBenchmark: StageBenchmark {
    let weights: SyntheticWeights
    private let model: VideoVAE
    private let subject: BenchmarkSubject

    /// Latents of a block.
    private static let blockLatents = 3

    init(_ subject: BenchmarkSubject) throws {
        weights = SyntheticWeights(.float32, sizes: subject.sizes.videoShapes)
        model = try VideoVAE(weights)
        self.subject = subject
    }

    func load(on device: any Device) throws { try model.decoder.parameters.load(on: device) }

    func prepare(on device: any Device) throws -> [TimedWork] {
        let shape: Shape = [
            model.architecture.latentChannels, Self.blockLatents, subject.latentHeight,
            subject.latentWidth,
        ]
        let latents = try device.tensor(
            RandomNumbers.floats(shape.elementCount, seed: 1), shape)
        let decoder = StreamingDecoder(
            model.decoder, on: device, latentsPerPass: Self.blockLatents)
        // The stream's first latent is a pass by itself; whole passes begin behind it.
        let first = try device.tensor(
            RandomNumbers.floats(shape.elementCount / Self.blockLatents, seed: 2),
            [shape[0], 1, shape[2], shape[3]])
        _ = try decoder.decodePixels(first)
        return [TimedWork("block") { _ = try decoder.decodePixels(latents) }]
    }
}
