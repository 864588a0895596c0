import Stages

/// Passes what a stage reports on to the person and to the metrics.
public struct StageReporting {
    private let reporter: Reporter
    private let metrics: MetricsLog

    /// Reporting to both.
    public init(reporter: Reporter, metrics: MetricsLog) {
        self.reporter = reporter
        self.metrics = metrics
    }

    /// Hears one report. Throws `SystemError` if the metrics cannot be written.
    public func hear(_ report: StageReport) throws {
        switch report {
        case .warning(let message): reporter.warn(message)
        case .progress(let message): reporter.progress(message)
        case .block(let index, let seconds, let bytes):
            try metrics.record("block", block: index, seconds: seconds, bytes: bytes)
        case .replayed(let index, let seconds):
            try metrics.record("replayed", block: index, seconds: seconds)
        }
    }
}
