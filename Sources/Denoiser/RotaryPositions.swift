import Layers

/// Where tokens sit for the rotary embedding, as (cos, sin) tables [tokens, head / 2, 2].
package struct RotaryPositions {
    let embedding: RotaryEmbedding
    let grid: LatentGrid

    /// Positions on a grid for heads of the embedding's width.
    package init(embedding: RotaryEmbedding, grid: LatentGrid) {
        self.embedding = embedding
        self.grid = grid
    }

    /// The farthest that the reference sits ahead of the block.
    static let referenceFrame = 30

    /// The noisy tokens of the block that starts at absolute latent frame `frame`.
    package func block(startingAt frame: Int) -> [Float] {
        embedding.table(
            frames: Array(frame..<frame + DenoiserConfiguration.blockFrames),
            rows: Array(0..<grid.rows), columns: Array(0..<grid.columns))
    }

    /// The reference's tokens, `rollout` frames behind their first place.
    package func reference(rollout: Int) -> [Float] {
        embedding.table(
            frames: [Self.referenceFrame + rollout],
            rows: Array(0..<grid.rows), columns: Array(0..<grid.columns))
    }

    /// Motion tokens from the newest bucket to the oldest; they never roll.
    package func motion() -> [Float] {
        MotionBucket.all.flatMap { bucket in
            embedding.table(
                frames: bucket.positions,
                rows: Self.spread(over: grid.rows, count: bucket.rows(height: grid.height)),
                columns: Self.spread(
                    over: grid.columns, count: bucket.columns(width: grid.width)))
        }
    }

    /// Reference and motion tokens, in the order of the conditioning.
    package func conditioning(rollout: Int) -> [Float] { reference(rollout: rollout) + motion() }

    /// How far the reference rolls on for a block at `frame`, so that it sits `sinkDistance` frames
    /// ahead once the block has come near enough.
    static func rollout(frame: Int, sinkDistance: Int) -> Int {
        max(0, frame - (referenceFrame - sinkDistance))
    }

    /// `count` positions from 0 to extent - 1, evenly spaced and truncated: NumPy's `linspace`.
    package static func spread(over extent: Int, count: Int) -> [Int] {
        guard count > 1 else { return [Int](repeating: 0, count: count) }
        let step = Double(extent - 1) / Double(count - 1)
        return (0..<count).map { $0 == count - 1 ? extent - 1 : Int(Double($0) * step) }
    }
}
