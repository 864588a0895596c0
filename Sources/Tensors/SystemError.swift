import Glibc

/// A failed system call on a file: what was attempted, on which path, and why it failed.
public struct SystemError: Error, Hashable, Sendable {
    /// What was attempted, as it follows "cannot": "open", "write".
    public let action: String
    /// The path as the user gave it.
    public let path: String
    /// The `errno` of the call.
    public let code: Int32

    /// Captures a failure; by default that of the call just made.
    public init(_ action: String, _ path: String, code: Int32 = errno) {
        self.action = action
        self.path = path
        self.code = code
    }

    /// Throws unless `result`, a system call's, is non-negative; returns it otherwise.
    @discardableResult
    static func check<Result: SignedInteger>(
        _ result: Result, _ action: String, _ path: String
    ) throws(SystemError) -> Result {
        guard result >= 0 else { throw SystemError(action, path) }
        return result
    }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        "cannot \(action) '\(path)': \(String(cString: strerror(code)))"
    }
}
