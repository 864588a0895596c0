import Denoiser

/// Made-up conditions of a run, of the size that real ones have.
package struct SyntheticInputs {
    private let sizes: PublishedSizes
    private let latentHeight: Int
    private let latentWidth: Int

    /// Conditions for the sizes of a benchmark.
    package init(_ subject: BenchmarkSubject) {
        sizes = subject.sizes
        latentHeight = subject.latentHeight
        latentWidth = subject.latentWidth
    }

    /// A text context [tokens, text width].
    package func context(tokens: Int) -> [Float] {
        RandomNumbers.floats(tokens * sizes.textDim, seed: 11)
    }

    /// Audio features [frames, layers, audio width].
    package func sound(frames: Int, layers: Int) -> [Float] {
        RandomNumbers.floats(frames * layers * sizes.denoiser.audioDim, seed: 12)
    }

    /// Latents [channels, frames, height, width].
    package func latents(frames: Int) -> Latents {
        let channels = sizes.denoiser.latentChannels
        return Latents(
            channels: channels, frames: frames, height: latentHeight, width: latentWidth,
            values: RandomNumbers.floats(
                channels * frames * latentHeight * latentWidth, seed: UInt64(13 + frames)))
    }
}
