import Compute
import Foundation

extension BenchmarkResult {
    /// The result as a table for people.
    public var text: String {
        var lines = [heading, loadingLine]
        lines += works.map { work in
            let times = work.seconds
            let launches = work.launches.map {
                ", \($0) kernels + \(work.libraryCalls ?? 0) library calls"
            }
            return String(
                format: "%9.2f ms  (%.2f min, %.2f p10, %.2f p90, %d rounds%@)  ",
                1000 * times.median, 1000 * times.min, 1000 * times.p10, 1000 * times.p90,
                times.rounds, launches ?? "") + work.name + Self.link(work)
        }
        lines.append(memoryLine)
        if let kernels { lines.append("kernels: " + kernels.joined(separator: " ")) }
        if let profile { lines += profile.lines }
        return lines.joined(separator: "\n") + "\n" + (candidates ?? "")
    }

    private var heading: String {
        let layers = layers.map { ", \($0) layers" } ?? ""
        let widths = widthDivisor == 1 ? "" : ", widths divided by \(widthDivisor)"
        let matrices = matrices == precision ? "" : ", matrices \(matrices)"
        let attention = attention.map { $0 == precision ? "" : ", attention \($0)" } ?? ""
        return
            "\(stage) on \(device), \(precision)\(matrices)\(attention), \(size[0])x\(size[1])\(layers)\(widths)"
    }

    private var loadingLine: String {
        let rate = Double(loading.bytes) / max(loading.seconds, 1e-9)
        return String(
            format: "weights %.2f GB in %.2f s (%.1f GB/s), prepared in %.2f s",
            Double(loading.bytes) / 1e9, loading.seconds, rate / 1e9, preparationSeconds)
    }

    private static func link(_ work: Work) -> String {
        guard work.fetchedBytes + work.storedBytes > 0 else { return "" }
        return String(
            format: "\n              over the link %.3f GB to the card, %.3f GB back",
            Double(work.fetchedBytes) / 1e9, Double(work.storedBytes) / 1e9)
    }

    private var memoryLine: String {
        func gigabytes(_ bytes: Int?) -> String {
            bytes.map { String(format: "%.3f GB", Double($0) / 1e9) } ?? "unknown"
        }
        let reserved = memory.reservedBytes.map {
            ", holes included \(gigabytes(memory.reachedBytes)) of \(gigabytes($0)) set apart"
        }
        let process = memory.processBytes.map { ", process \(gigabytes($0))" }
        let card = memory.cardBytes.map { ", in use on the card \(gigabytes($0))" }
        return "memory: tensors \(gigabytes(memory.allocatedBytes)), at most "
            + gigabytes(memory.peakBytes) + (reserved ?? "") + (process ?? "") + (card ?? "")
    }
}

extension BenchmarkResult.Profile {
    /// The table of operations: calls, time, share of all, bytes and operations moved, and the share of
    /// the rates that the device can reach.
    fileprivate var lines: [String] {
        let total = operations.reduce(0) { $0 + $1.seconds }
        let floor = operations.reduce(0) { $0 + shortestTime($1) }
        let heading = String(
            format: "profile: rates %.1f TFLOP/s, %.1f GB/s; %.2f ms in operations (at best %.2f), "
                + "%.2f ms between them", rates.flopsPerSecond / 1e12, rates.bytesPerSecond / 1e9,
            1000 * total, 1000 * floor, 1000 * (seconds - total))
        let columns = "  calls         ms  share %     GB   GFLOP  of best %  operation"
        return [heading, columns]
            + operations.map { row in
                String(
                    format: "%7d %10.3f %8.1f %6.2f %7.1f %10.1f  ", row.calls,
                    1000 * row.seconds, 100 * row.seconds / total, Double(row.bytes) / 1e9,
                    Double(row.flops) / 1e9, 100 * shortestTime(row) / max(row.seconds, 1e-12))
                    + "\(row.operation) \(row.shapes)"
            }
    }

    private func shortestTime(_ row: OperationProfile) -> Double {
        row.shortestTime(
            flopsPerSecond: rates.flopsPerSecond, bytesPerSecond: rates.bytesPerSecond)
    }
}
