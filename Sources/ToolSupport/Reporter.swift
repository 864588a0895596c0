import Foundation
import Logging

/// Speaks to the person at the terminal: progress, warnings, and details if asked.
public final class Reporter {
    private let tool: String
    private let isQuiet: Bool
    private let showsLine: Bool
    private let logger: Logger
    private var lastShown = ContinuousClock.now
    private var lineIsOpen = false

    /// A terminal sees one line that moves; a log gets a line now and then.
    private static let terminalInterval = Duration.milliseconds(100)
    private static let logInterval = Duration.seconds(10)

    /// A reporter that speaks as `tool`, as much as was asked for.
    public convenience init(tool: String, options: ReportOptions) {
        self.init(
            tool: tool, isQuiet: options.quiet, level: options.verbose ? .debug : .info)
    }

    /// A reporter that shows progress to a person at a terminal, and nothing to a log: for tools
    /// that are silent when all is well.
    public convenience init(silentUnlessWatched tool: String) {
        self.init(tool: tool, isQuiet: !StandardError.isTerminal, level: .info)
    }

    private init(tool: String, isQuiet: Bool, level: Logger.Level) {
        self.tool = tool
        self.isQuiet = isQuiet
        showsLine = StandardError.isTerminal
        var logger = Logger(label: tool) { StandardErrorLog(tool: $0) }
        logger.logLevel = isQuiet ? .error : level
        self.logger = logger
    }

    deinit { closeLine() }

    /// Something the user should know and may want to change.
    public func warn(_ message: String) { say { logger.warning("\(message)") } }
    /// Something the user wants to know.
    public func note(_ message: String) { say { logger.info("\(message)") } }
    /// Something the user asked to know with `--verbose`.
    public func detail(_ message: String) { say { logger.debug("\(message)") } }

    /// How far the work is; shown now and then, so call it as often as is convenient.
    public func progress(_ message: @autoclosure () -> String) {
        guard !isQuiet else { return }
        let interval = showsLine ? Self.terminalInterval : Self.logInterval
        guard ContinuousClock.now - lastShown >= interval else { return }
        show(message())
    }

    /// What the tool waits for, perhaps for long: a terminal sees it at once. In a log it would stand at every start of stages
    /// that follow one another, so it is there with `--verbose` alone.
    public func waiting(_ message: String) {
        if showsLine && !isQuiet { show(message) } else { detail(message) }
    }

    private func show(_ message: String) {
        lastShown = .now
        if showsLine {
            StandardError.write("\r\u{1B}[K\(tool): \(message)")
            lineIsOpen = true
        } else {
            StandardError.write("\(tool): \(message)\n")
        }
    }

    private func say(_ body: () -> Void) {
        closeLine()
        body()
    }

    private func closeLine() {
        if lineIsOpen { StandardError.write("\r\u{1B}[K") }
        lineIsOpen = false
    }
}

/// Writes log messages as `tool: message`, with warnings marked.
private struct StandardErrorLog: LogHandler {
    let tool: String
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    init(tool: String) { self.tool = tool }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let mark = event.level >= .warning ? "\(event.level): " : ""
        StandardError.write("\(tool): \(mark)\(event.message)\n")
    }
}
