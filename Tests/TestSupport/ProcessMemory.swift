import Foundation

/// Memory of this process as the kernel counts it, for tests that run in a process of their own.
public enum ProcessMemory {
    /// Bytes of physical memory, mapped files included.
    public static var resident: Int { kilobytes("VmRSS:") << 10 }
    /// The most that `resident` has been since the process began or `resetPeak()`.
    public static var peak: Int { kilobytes("VmHWM:") << 10 }

    /// Begins to measure the peak anew; traps if the kernel has no such file.
    public static func resetPeak() {
        do {
            try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        } catch {
            fatalError("cannot reset the peak: \(error)")
        }
    }

    private static func kilobytes(_ key: String) -> Int {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix(key) }
        guard let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first,
            let kilobytes = Int(number)
        else { fatalError("'/proc/self/status' has no '\(key)'") }
        return kilobytes
    }
}
