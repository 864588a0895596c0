import Artifacts

/// How a stage reads streams and treats what is there.
public struct StreamManner: Sendable {
    /// Wait for blocks that are still being written.
    public var follow = false
    /// Delete input blocks that no restart needs.
    public var consume = false
    /// Wait while so many blocks of the output are on the disk, until a reader consumes some.
    public var mostBlocks: Int?
    /// Replace output that was made otherwise.
    public var overwrite = false

    /// The careful manner: wait for nothing, delete nothing, replace nothing.
    public init() {}
}

extension StreamManner {
    /// Waits until the output may grow by a block. Throws what the listener and the disk throw.
    func awaitRoom(in writer: StreamWriter, _ listener: StageListener) throws {
        guard let mostBlocks else { return }
        try writer.awaitRoom(for: mostBlocks) {
            try listener(.progress("waiting for a reader to consume blocks"))
        }
    }
}
