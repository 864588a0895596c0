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
