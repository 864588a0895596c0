import Tensors

/// How far a stream has come, as its folder shows it at one moment; nothing is waited for.
public struct StreamState: Sendable {
    /// What the stream is.
    public let description: StreamDescription
    /// The version of the format; nil if the stream, made elsewhere, does not say.
    public let version: String?
    /// The indices of the blocks that are there, sorted.
    public let blocks: [Int]
    /// Whether `lead.safetensors` is there.
    public let hasLead: Bool
    /// Blocks before this one may have been consumed.
    public let consumedBefore: Int
    /// What writers of ranges have left, by range.
    public let parts: [StreamPart]
    /// What the finished stream holds, be it as parts that cover every block; nil if it is unfinished.
    public let end: StreamEnd?
    /// Why writers gave up, a line each.
    public let failures: [String]
    /// Whether a living process writes some of the blocks.
    public let isBeingWritten: Bool

    /// Blocks of the finished stream, or so many as are expected; nil if that is unknown.
    public var expectedBlocks: Int? { end?.blocks ?? description.blocks }

    /// Whether the stream has ended, with every block there or consumed.
    public var isComplete: Bool { end != nil && missing.isEmpty }

    /// The runs of blocks that are neither there nor consumed, up to the last that is expected.
    public var missing: [Range<Int>] {
        var runs: [Range<Int>] = []
        var next = consumedBefore
        let bound = expectedBlocks ?? (blocks.last ?? -1) + 1
        for index in blocks.filter({ $0 >= consumedBefore }) + [max(bound, next)] {
            if next < index { runs.append(next..<index) }
            next = max(next, index + 1)
        }
        return runs
    }
}

extension StreamFolder {
    /// The version that a `stream.json` tells.
    private struct Version: Decodable {
        let version: String?
    }

    /// How far the stream has come. Throws `ArtifactError` if it is none, or a file of it is damaged,
    /// and `SystemError` if the folder cannot be read.
    public func state() throws -> StreamState {
        let description = try description()
        let all = 0..<StreamLock.blockLimit
        return StreamState(
            description: description,
            version: try CanonicalJSON.read(Version.self, from: path(Self.descriptionName))?
                .version,
            blocks: try blocks(), hasLead: try names().contains(Self.leadName),
            consumedBefore: try consumedBefore(), parts: try parts(),
            end: try end() ?? endOfParts(blocks: description.blocks),
            failures: try failures(in: all),
            isBeingWritten: try StreamLock(reading: self)?.isClaimed(all) ?? false)
    }

    /// Whether a folder holds a stream, by its first file.
    public var isStream: Bool {
        (try? names().contains(Self.descriptionName)) ?? false
    }

    /// The path of a block's file.
    public func path(ofBlock index: Int) -> String { path(Self.name(ofBlock: index)) }
    /// The path of the lead's file.
    public var leadPath: String { path(Self.leadName) }
}
