/// How a stage reads streams and treats what is there.
public struct StreamManner: Sendable {
    /// Wait for blocks that are still being written.
    public var follow = false
    /// Delete input blocks that no restart needs.
    public var consume = false
    /// Replace output that was made otherwise.
    public var overwrite = false

    /// The careful manner: wait for nothing, delete nothing, replace nothing.
    public init() {}
}
