import Compute
import Foundation
import Stages

/// How a running tool speaks: to the person, and to the metrics; and it passes on what a stage reports.
public struct StageReporting {
    /// For the person.
    public let reporter: Reporter
    /// For the file that `--metrics` names, if it does.
    public let metrics: MetricsLog

    /// The ways in which a tool of this name speaks. Throws `SystemError` if the metrics cannot be written.
    public init(tool: String, options: ReportOptions) throws {
        reporter = Reporter(tool: tool, options: options)
        metrics = try MetricsLog(stage: tool, path: options.metrics)
    }

    /// The same device, whose memory the metrics tell from now on.
    public func watching(_ device: any Device) -> any Device {
        metrics.device = device as? any MemoryReporting
        return device
    }

    /// Hears one report. Throws `SystemError` if the metrics cannot be written.
    public func hear(_ report: StageReport) throws {
        switch report {
        case .warning(let message): reporter.warn(message)
        case .detail(let message): reporter.detail(message)
        case .progress(let message): reporter.progress(message)
        case .waiting(let message): reporter.waiting(message)
        case .loaded(let seconds):
            reporter.detail(String(format: "weights loaded in %.2f s", seconds))
            try metrics.record("loaded", seconds: seconds)
        case .block(let index, let seconds, let bytes):
            try metrics.record("block", block: index, seconds: seconds, bytes: bytes)
        case .replayed(let index, let seconds):
            reporter.detail("block \(index) went through the windows again")
            try metrics.record("replayed", block: index, seconds: seconds)
        case .verified(let index, let seconds):
            reporter.detail("block \(index) came out as it was written")
            try metrics.record("verified", block: index, seconds: seconds)
        }
    }
}
