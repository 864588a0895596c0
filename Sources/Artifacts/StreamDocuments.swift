import Tensors

/// What a finished stream holds: its `end.json`.
public struct StreamEnd: Hashable, Sendable, Codable {
    /// Number of blocks.
    public var blocks: Int
    /// Number of video frames, if known.
    public var frames: Int?
    /// The digest over the blocks: SHA-256 of the lines that `sha256sum [0-9]*.safetensors` prints.
    /// Unknown if a block was consumed without its digest having been written down.
    public var sha256: String?
    /// The digests of inputs that grew while they were read.
    public var inputs: [Provenance.Input]?

    /// The contents of an `end.json`.
    public init(
        blocks: Int, frames: Int? = nil, sha256: String? = nil, inputs: [Provenance.Input]? = nil
    ) {
        self.blocks = blocks
        self.frames = frames
        self.sha256 = sha256
        self.inputs = inputs
    }
}

/// What a writer of a range left: its `part-000100-000200.json`.
public struct StreamPart: Hashable, Sendable, Codable {
    /// The first block of the range.
    public var first: Int
    /// The block after the last one of the range.
    public var end: Int
    /// Number of video frames in the range, if known.
    public var frames: Int?
    /// The digest over the range's blocks, as in `StreamEnd`.
    public var sha256: String?
    /// The digests of inputs that grew while they were read.
    public var inputs: [Provenance.Input]?

    /// The range of blocks; nil if its bounds make none.
    public var range: Range<Int>? {
        first >= 0 && first <= end && end < StreamLock.blockLimit ? first..<end : nil
    }
}

/// How far a stream was consumed: its `consumed.json`.
struct StreamWatermark: Codable {
    /// Blocks before this one were whole once and may be gone.
    let before: Int
}

/// Why a writer gave up: its `failed.json`, or `failed-000100-000200.json` of a range.
struct StreamFailure: Codable {
    /// The first block that the writer was to write.
    let first: Int
    /// The block after the last one.
    let end: Int
    /// What went wrong, in one line.
    let error: String
}
