/// The token counts that follow from a picture's size; nothing else is sized for one resolution.
public struct LatentGrid: Hashable, Sendable {
    /// Height of the latents, an eighth of the picture's.
    public let height: Int
    /// Width of the latents, an eighth of the picture's.
    public let width: Int
    /// Latent frames of a clip, a multiple of a block's.
    public let clipFrames: Int

    /// The grid for latents of this size. Traps if a side is odd or a clip is not of whole blocks.
    public init(height: Int, width: Int, clipFrames: Int) {
        precondition(height > 0 && width > 0 && height % 2 == 0 && width % 2 == 0)
        precondition(clipFrames > 0 && clipFrames % DenoiserConfiguration.blockFrames == 0)
        self.height = height
        self.width = width
        self.clipFrames = clipFrames
    }

    /// Rows of tokens.
    public var rows: Int { height / DenoiserConfiguration.patch }
    /// Columns of tokens.
    public var columns: Int { width / DenoiserConfiguration.patch }
    /// Tokens of a latent frame.
    public var frameTokens: Int { rows * columns }
    /// Tokens of a block.
    public var blockTokens: Int { DenoiserConfiguration.blockFrames * frameTokens }
    /// Tokens of the key/value window: those of a clip.
    public var windowTokens: Int { clipFrames * frameTokens }
    /// Blocks of a clip.
    public var clipBlocks: Int { clipFrames / DenoiserConfiguration.blockFrames }
    /// Tokens of reference and motion: the conditioning that every block attends to.
    public var conditioningTokens: Int {
        frameTokens
            + MotionBucket.all.reduce(0) { $0 + $1.tokens(height: height, width: width) }
    }
}

/// One of the three resolutions at which past motion is packed: the older, the coarser.
struct MotionBucket: Sendable {
    /// The module of the checkpoint.
    let name: String
    /// The box of latents that one token sees.
    let patch: PatchSize
    /// Which of the motion latents, oldest first.
    let frames: Range<Int>
    /// The rotary frame positions of its token frames.
    let positions: [Int]

    /// From the newest to the oldest, the order of their tokens.
    static let all = [
        MotionBucket(
            name: "proj", patch: PatchSize(frames: 1, height: 2, width: 2), frames: 18..<19,
            positions: [-1]),
        MotionBucket(
            name: "proj_2x", patch: PatchSize(frames: 2, height: 4, width: 4), frames: 16..<18,
            positions: [-3]),
        MotionBucket(
            name: "proj_4x", patch: PatchSize(frames: 4, height: 8, width: 8), frames: 0..<16,
            positions: [-19, -14, -9, -4]),
    ]

    /// Rows of tokens in a frame of latents this high; what does not fill a patch is left out.
    func rows(height: Int) -> Int { height / patch.height }
    /// Columns of tokens in a frame of latents this wide.
    func columns(width: Int) -> Int { width / patch.width }
    /// Tokens of all its frames.
    func tokens(height: Int, width: Int) -> Int {
        frames.count / patch.frames * rows(height: height) * columns(width: width)
    }
}
