import Compute
import Denoiser
import Tensors

extension GoldenCase {
    /// Runs whose weights and windows come from the host, on a device whose memory is apart: not near the run in which all is
    /// resident, but equal to it.
    public static let streaming = [
        streaming("weights", DenoiserResidency(streamedLayers: [0, 1, 2])),
        streaming(
            "windows",
            DenoiserResidency(streamedWindows: [[0, 1, 2], [1], [], [0, 2]], windowSlots: 3)),
        streaming(
            "weights and windows",
            DenoiserResidency(
                streamedLayers: [0, 2], streamedWindows: .init(repeating: [0, 1, 2], count: 4))),
    ]

    private static func streaming(_ name: String, _ residency: DenoiserResidency) -> GoldenCase {
        GoldenCase("denoiser/streamed \(name)", within: 0) { folder, device in
            let inputs = try GoldenInputs(folder.file("denoise"))
            func latents(_ residency: DenoiserResidency) throws -> [Float] {
                let model = try GoldenDenoiser(
                    folder, lora: false, on: device, residency: residency)
                return try model.latents(inputs, clips: 2)
            }
            let (found, resident) = (try latents(residency), try latents(.resident))
            var comparison = Comparison()
            // A tolerance is for other orders of sums, which there are none of.
            let isEqual = found.map(\.bitPattern) == resident.map(\.bitPattern)
            comparison.add(found, isEqual ? resident : [])
            return comparison
        }
    }
}

extension GoldenDenoiser {
    /// The latents of all blocks of so many clips, one behind the other.
    fileprivate func latents(_ inputs: GoldenInputs, clips: Int) throws -> [Float] {
        let sequence = try sequence(inputs)
        let motion = inputs.conditions.sink.motion
        var first: Latents?
        var latents: [Float] = []
        for index in 0..<clips * grid.clipBlocks {
            let block = try sequence.denoise(
                index, audio: inputs.sound(of: index),
                refresh: {
                    first.map { SinkLatents(reference: $0.frames(0..<1), motion: motion) }
                })
            first = first ?? block.latents
            latents += block.latents.values
        }
        return latents
    }
}
