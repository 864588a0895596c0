/// How far a long call has come.
public struct Progress: Hashable, Sendable {
    /// What is being done, as in "layers".
    public let activity: String
    /// Units done.
    public let completed: Int
    /// Units in all.
    public let total: Int

    /// A report of `completed` out of `total`.
    public init(_ activity: String, completed: Int, total: Int) {
        self.activity = activity
        self.completed = completed
        self.total = total
    }
}

/// Hears of progress between layers and blocks; stops the call by throwing.
public typealias Monitor = (Progress) throws -> Void
