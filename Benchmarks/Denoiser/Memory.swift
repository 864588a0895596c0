import ComputeCPU
import Foundation

extension DenoiserBenchmark.Memory {
    /// What is needed beside the most that the device and the process held during steps.
    func table(on device: CPUDevice, peakOfProcess: Int?) -> String {
        func line(_ name: String, _ bytes: Int) -> String {
            String(format: "%8.1f MB ", Double(bytes) / 1e6) + name
        }
        func ratio(_ bytes: Int) -> String {
            String(format: ", %.3f of what is needed", Double(bytes) / Double(needed))
        }
        let peak = device.peakBytes
        return [
            line("weights", weights), line("text keys and values", textKeysAndValues),
            line("window", windows), line("conditioning", conditioning),
            line("needed", needed), line("peak of the device", peak) + ratio(peak),
            peakOfProcess.map { line("peak of the process", $0) + ratio($0) } ?? "",
        ].joined(separator: "\n")
    }
}

/// The most memory of the process from its start or the last call on; nil where the kernel does not
/// tell. Then begins anew, so that what loading took is left out.
func peakOfProcess() -> Int? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    return kilobytes.map { $0 * 1024 }
}
