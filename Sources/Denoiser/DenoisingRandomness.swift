/// Where the random numbers of a run come from.
public struct DenoisingRandomness {
    /// The noise of a clip, [channels, clipFrames, h, w].
    public var noise: (_ clip: Int) throws -> Latents
    /// How far ahead the reference sits in one pass.
    public var sinkDistance: (_ clip: Int, _ block: Int, _ step: Int) throws -> Int

    /// Random numbers from elsewhere, as for a replay.
    public init(
        noise: @escaping (_ clip: Int) throws -> Latents,
        sinkDistance: @escaping (_ clip: Int, _ block: Int, _ step: Int) throws -> Int
    ) {
        self.noise = noise
        self.sinkDistance = sinkDistance
    }

    /// Random numbers from a seed: the noise of clip r is PyTorch's for seed + r on a card with so
    /// many multiprocessors.
    public init(seed: UInt64, channels: Int, grid: LatentGrid, multiprocessors: Int) {
        noise = { clip in
            let count = channels * grid.clipFrames * grid.height * grid.width
            let generator = PhiloxRandom(seed: seed &+ UInt64(clip))
            return Latents(
                channels: channels, frames: grid.clipFrames, height: grid.height,
                width: grid.width,
                values: generator.normals(count: count, multiprocessors: multiprocessors))
        }
        let generator = PhiloxRandom(seed: seed)
        sinkDistance = { generator.sinkDistance(clip: $0, block: $1, step: $2) }
    }
}
