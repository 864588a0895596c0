import Foundation

/// The most memory of the process from its start or the last call on; nil where the kernel does not
/// tell. Then begins anew, so that what loading took is left out.
package func peakOfProcess() -> Int? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    return kilobytes.map { $0 * 1024 }
}
