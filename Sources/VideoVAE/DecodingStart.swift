/// How a stream of latents is divided: some that lead it, then blocks of equal length.
public struct StreamLayout: Hashable, Sendable {
    /// Latents before block 0, whose frames nobody wants: the start of the motion condition.
    public let leadLatents: Int
    /// Latents of a block.
    public let blockLatents: Int

    /// A layout; traps unless there are latents in a block.
    public init(leadLatents: Int, blockLatents: Int) {
        precondition(leadLatents >= 0 && blockLatents > 0)
        self.leadLatents = leadLatents
        self.blockLatents = blockLatents
    }

    /// The place of a block's first latent in the stream.
    public func position(ofBlock index: Int) -> Int { leadLatents + index * blockLatents }
}

/// What a decoder must see before the first block that is wanted.
public struct DecodingStart: Hashable, Sendable {
    /// Whether it begins with the latents that lead the stream.
    public let needsLead: Bool
    /// The blocks it sees, after the lead if that is needed, and whose frames nobody wants.
    public let warmUpBlocks: Range<Int>
    /// The same as places of latents in the stream.
    public let warmUp: Range<Int>
    /// A place in the stream where a pass of the decoder begins; others are whole passes from it.
    let passOrigin: Int

    /// The start for the frames from `firstBlock` on, for a decoder that needs `latents` before them: whole
    /// blocks, so that pieces are divided alike wherever a decoder starts.
    init(firstBlock: Int, layout: StreamLayout, latents: Int) {
        precondition(firstBlock >= 0)
        let first = layout.position(ofBlock: firstBlock)
        let needed = first - latents - layout.leadLatents
        needsLead = needed < 0
        warmUpBlocks = max(0, needed) / layout.blockLatents..<firstBlock
        warmUp = (needsLead ? 0 : layout.position(ofBlock: warmUpBlocks.lowerBound))..<first
        passOrigin = layout.leadLatents
    }

    /// A start that warms up with just these latents; whole passes begin behind the stream's first.
    package init(warmUp: Range<Int>) {
        passOrigin = 1
        needsLead = warmUp.lowerBound == 0
        warmUpBlocks = 0..<0
        self.warmUp = warmUp
    }
}

extension VideoDecoder {
    /// What a decoder must see so that the frames from `firstBlock` on are, bit for bit, those of a decoder
    /// that ran through the whole stream. It does not grow with `firstBlock`.
    public func start(atBlock firstBlock: Int, of layout: StreamLayout) -> DecodingStart {
        DecodingStart(firstBlock: firstBlock, layout: layout, latents: warmUpLatents)
    }
}
