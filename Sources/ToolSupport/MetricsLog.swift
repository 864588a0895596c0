import Compute
import Foundation
import Glibc
import Tensors

/// Appends measurements to a file, one JSON object a line, whole lines at a time.
public final class MetricsLog {
    /// One measurement; what does not apply is left out.
    public struct Event: Encodable {
        /// The tool.
        public var stage: String
        /// What happened, as in "block" or "replayed".
        public var event: String
        /// The block's place in the video.
        public var block: Int?
        /// How long it took.
        public var seconds: Double?
        /// Bytes written or moved.
        public var bytes: Int?
        /// The most bytes that tensors held on the device at once so far.
        public var peakDeviceBytes: Int?
        /// The most memory that the process had resident so far.
        public var peakHostBytes: Int?
    }

    /// Whose memory each measurement tells, if it is known.
    var device: (any MemoryReporting)?

    private let stage: String
    private let descriptor: Int32?
    private let path: String
    private let encoder: JSONEncoder

    /// A log to `path`, or to nowhere if it is nil. Throws `SystemError`.
    public init(stage: String, path: String?) throws {
        self.stage = stage
        self.path = path ?? ""
        encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let path else {
            descriptor = nil
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError("open", path) }
        self.descriptor = descriptor
    }

    deinit { if let descriptor { close(descriptor) } }

    /// Appends one measurement. Throws `SystemError`.
    public func record(
        _ event: String, block: Int? = nil, seconds: Double? = nil, bytes: Int? = nil
    ) throws {
        guard let descriptor else { return }
        let line =
            try encoder.encode(
                Event(
                    stage: stage, event: event, block: block, seconds: seconds, bytes: bytes,
                    peakDeviceBytes: device?.peakBytes, peakHostBytes: Self.peakHostBytes))
            + Data("\n".utf8)
        // One call a line, so that stages may share a file.
        let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == line.count else { throw SystemError("write", path) }
    }

    /// The most memory that this process has had resident, in bytes; nil where the kernel does not tell.
    ///
    /// Not from getrusage(2), whose peak begins, after exec, with that of the process that was forked.
    public static var peakHostBytes: Int? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        return kilobytes.flatMap { Int($0) }.map { $0 << 10 }
    }
}

extension MetricsLog {
    /// Runs `body` and records how long it took. Throws what it throws, and `SystemError`.
    public func measure<Result>(_ event: String, _ body: () throws -> Result) throws -> Result {
        let start = ContinuousClock.now
        let result = try body()
        let duration = (ContinuousClock.now - start).components
        try record(
            event, seconds: Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
        return result
    }
}
