import BenchmarkSupport
import Compute
import ComputeCPU
import Tensors
import VideoVAE

/// A decoder in the middle of a stream, which is given a block of latents again and again.
struct DecoderBenchmark {
    /// Latents of a block.
    static let blockLatents = 3

    private let model: VideoVAE
    private let device: any Device
    private let latentsPerPass: Int
    private let size: (width: Int, height: Int)

    /// A model of made-up weights with that many channels at full resolution, loaded, for pictures of `size` pixels.
    init(
        channels: Int, size: (width: Int, height: Int), latentsPerPass: Int, on device: any Device
    ) throws {
        model = try VideoVAE(
            MadeUpWeights(sizes: ["encoder.conv1.weight": [channels, 3, 3, 3, 3]]))
        try model.decoder.parameters.load(on: device)
        self.device = device
        self.latentsPerPass = latentsPerPass
        self.size = size
    }

    /// Decodes blocks of a stream, after its first latent, on this device: each call gives the next one's frames
    /// [12, H, W, 3], not clamped.
    func blocks(on device: any Device) throws -> () throws -> Tensor {
        let decoder = StreamingDecoder(model.decoder, on: device, latentsPerPass: latentsPerPass)
        _ = try decoder.decode(latents("start", 1))
        let block = try latents("block", Self.blockLatents)
        return { try decoder.decode(block) }
    }

    /// The frames of the second block of a stream of its own, clamped.
    func result() throws -> [Float] {
        let next = try blocks(on: device)
        _ = try next()
        return try device.floats(next()).map { max(-1, min(1, $0)) }
    }

    /// Normalised latents [channels, count, h, w] that follow from a name.
    private func latents(_ name: String, _ count: Int) throws -> Tensor {
        let scale = model.architecture.pixelsPerLatent
        let shape: Shape = [
            model.architecture.latentChannels, count, size.height / scale, size.width / scale,
        ]
        return try device.tensor(MadeUpNumbers(name, shape.elementCount).floats, shape)
    }
}
