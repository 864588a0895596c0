/// What a process holds on a card beside the memory that its tensors share.
///
/// The context is there, and measured, before the first tensor. Kernels, and what libraries keep for themselves,
/// come when they are first used; they need room that nothing else takes.
public struct CardOverhead: Hashable, Sendable {
    /// Bytes of the context.
    public let contextBytes: Int
    /// Bytes of all that comes later.
    public let laterBytes: Int

    /// Room for what is loaded on first use: the modules of this project's kernels, cuBLASLt's and cuDNN's kernels, and the memory
    /// for the kernels' stacks. A whole run of the denoiser in 8 bits was seen to take 30 MB on an H200.
    public static let laterBytes = 128 << 20
    /// What a context is taken for where nobody can measure it.
    public static let usualContextBytes = 512 << 20

    /// The overhead of a process whose context holds that many bytes.
    public init(contextBytes: Int = usualContextBytes, laterBytes: Int = laterBytes) {
        self.contextBytes = contextBytes
        self.laterBytes = laterBytes
    }

    /// Bytes in all.
    public var bytes: Int { contextBytes + laterBytes }

    /// The card gives memory in pieces of this many bytes.
    public static let granule = 2 << 20

    /// Bytes that tensors may share in a process that may hold `limit` bytes; not above 0 if it is too small.
    public func blockBytes(limit: Int) -> Int {
        (limit - bytes) / Self.granule * Self.granule
    }
}
