import Compute
import Foundation

extension ProfilingDevice {
    /// Runs `body` on this device, once to warm up and then a few times: a line for each operation, the longest
    /// first, with its share and its time in one run.
    package func profile(runs: Int = 3, _ body: (ProfilingDevice) throws -> Void) throws -> String {
        try body(self)
        removeRecords()
        isRecording = true
        for _ in 0..<runs { try body(self) }
        isRecording = false
        let operations = try operations()
        let total = operations.reduce(0) { $0 + $1.seconds }
        let lines = operations.map {
            String(
                format: "%5.1f %% %9.2f ms %4d calls  ", 100 * $0.seconds / total,
                1000 * $0.seconds / Double(runs), $0.calls / runs) + "\($0.operation) \($0.shapes)"
        }
        return (lines + [String(format: "%.1f ms in all", 1000 * total / Double(runs))])
            .joined(separator: "\n")
    }
}
