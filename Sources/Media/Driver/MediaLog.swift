import CLibAV
import Synchronization

/// Where libav's own messages go. Nowhere, until a sink is set.
public enum MediaLog {
    /// How much a message matters.
    public enum Level: Int, Comparable, Sendable {
        case error, warning, info, debug

        public static func < (one: Level, other: Level) -> Bool { one.rawValue < other.rawValue }
    }

    /// Takes a message without its line end; called on any thread.
    public typealias Sink = @Sendable (Level, String) -> Void

    private static let sink = Mutex<Sink?>(nil)

    /// Sends libav's messages of at least this weight to `newSink`; nil makes libav silent.
    ///
    /// For the whole process, as libav's log is.
    public static func set(_ newSink: Sink?, level: Level = .warning) {
        sink.withLock { $0 = newSink }
        av_log_set_level(newSink == nil ? AV_LOG_QUIET : libavLevel(level))
        if newSink != nil { installCallback() }
    }

    /// Makes libav silent unless a sink was set. Called before anything is opened.
    static let silenceByDefault: Void = {
        if sink.withLock({ $0 == nil }) { av_log_set_level(AV_LOG_QUIET) }
    }()

    private static func libavLevel(_ level: Level) -> Int32 {
        switch level {
        case .error: AV_LOG_ERROR
        case .warning: AV_LOG_WARNING
        case .info: AV_LOG_INFO
        case .debug: AV_LOG_DEBUG
        }
    }

    private static func installCallback() {
        av_log_set_callback { object, level, format, arguments in
            guard level <= av_log_get_level(), let arguments else { return }
            var line = [CChar](repeating: 0, count: 1024)
            var prefix: Int32 = 1
            av_log_format_line(object, level, format, arguments, &line, Int32(line.count), &prefix)
            let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            MediaLog.pass(String(decoding: bytes, as: UTF8.self), libavLevel: level)
        }
    }

    private static func pass(_ message: String, libavLevel: Int32) {
        let level: Level =
            switch libavLevel {
            case ...AV_LOG_ERROR: .error
            case ...AV_LOG_WARNING: .warning
            case ...AV_LOG_INFO: .info
            default: .debug
            }
        // Copied out first: a sink may log, or set another sink.
        let sink = sink.withLock { $0 }
        sink?(level, message)
    }
}
