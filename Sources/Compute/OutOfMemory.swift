/// An allocation beyond a memory limit, or beyond what the system has.
public struct OutOfMemory: Error, CustomStringConvertible {
    /// Bytes asked for.
    public let requested: Int
    /// Bytes that lack.
    public let lacking: Int
    /// The limit in bytes, if one was set.
    public let limit: Int?
    /// Bytes in use before.
    public let used: Int

    /// An allocation that failed.
    public init(requested: Int, lacking: Int, limit: Int?, used: Int) {
        self.requested = requested
        self.lacking = lacking
        self.limit = limit
        self.used = used
    }

    public var description: String {
        let bounds = limit.map { " of \($0) bytes" } ?? ""
        return "out of memory: \(requested) bytes wanted beside \(used) in use\(bounds);"
            + " \(lacking) bytes lack"
    }
}
