import Compute
import Tensors
import VideoVAE

extension GoldenCase {
    /// Encoding, decoding, and decoding a stream piece by piece. Observed in float32 on the CPU: 2.4e-6, 4.1e-6 and 3.6e-6.
    public static let video =
        [
            GoldenCase("video/encode", within: 5e-5) { folder, device in
                let goldens = try folder.file("vae")
                let model = try folder.videoVAE(on: device)
                let video = try device.tensor("encode.video", of: goldens, axes: [1, 2, 3, 0])
                let latents = try model.encoder.encode(
                    frameCount: video.shape[0], on: device
                ) { video.rows($0) }
                var comparison = Comparison()
                comparison.add(
                    try device.floats(latents), try goldens.tensor("encode.latents").floats())
                return comparison
            },
            GoldenCase("video/decode", within: 5e-5) { folder, device in
                try decoded(folder, device, "decode", pieces: [0..<4], latentsPerPass: 3)
            },
        ]
        + [1, 3].map { latents in
            GoldenCase("video/stream by \(latents)", within: 5e-5) { folder, device in
                try decoded(
                    folder, device, "stream", pieces: [0..<7, 7..<10, 10..<13],
                    latentsPerPass: latents)
            }
        }

    /// The frames of a stream's latents given in pieces, clamped as the released code leaves them.
    private static func decoded(
        _ folder: GoldenFolder, _ device: any Device, _ name: String, pieces: [Range<Int>],
        latentsPerPass: Int
    ) throws -> Comparison {
        let goldens = try folder.file("vae")
        let model = try folder.videoVAE(on: device)
        let latents = try device.tensor("\(name).latents", of: goldens, axes: [1, 0, 2, 3])
        let expected = try device.floats(
            device.tensor("\(name).frames", of: goldens, axes: [1, 2, 3, 0]))
        let decoder = StreamingDecoder(
            model.decoder, on: device, latentsPerPass: latentsPerPass)
        var frames: [Float] = []
        for range in pieces {
            let piece = try device.permuted(latents.rows(range), axes: [1, 0, 2, 3])
            frames += try device.floats(decoder.decode(piece))
        }
        var comparison = Comparison()
        comparison.add(frames.map { min(max($0, -1), 1) }, expected)
        return comparison
    }
}

extension Device {
    /// A tensor of a file on the device, its axes in another order.
    fileprivate func tensor(
        _ name: String, of file: TensorFile, axes: [Int]
    ) throws -> Tensor {
        let view = try file.tensor(name)
        return try permuted(tensor(view.floats(), view.shape), axes: axes)
    }
}
