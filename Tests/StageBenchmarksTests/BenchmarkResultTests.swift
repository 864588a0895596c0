import ComputeCPU
import Foundation
import StageBenchmarks
import TestSupport
import Testing

/// What a benchmark tells programs.
@Suite struct BenchmarkResultTests {
    /// The result of a real run, with what only a card tells filled in.
    private func completeResult() throws -> BenchmarkResult {
        let subject = BenchmarkSubject(
            stage: .denoise, sizes: PublishedSizes(layers: 1, divisor: 32), height: 64, width: 64,
            steps: 1, seconds: 1)
        let run = BenchmarkRun(subject, rounds: 1, isProfiled: true)
        var result = try run(on: CPUDevice()) { _ in }
        result.kernels = ["LayerNorm"]
        result.candidates = "none"
        result.works = result.works.map { timed in
            var complete = timed
            (complete.launches, complete.libraryCalls) = (1, 2)
            return complete
        }
        result.memory.reservedBytes = 3
        result.memory.reachedBytes = 4
        result.memory.cardBytes = 5
        result.memory.processBytes = 6
        return result
    }

    /// A name for everything that the JSON can have is in REPORT.md, and the JSON can be read again.
    @Test func describesItsJSON() throws {
        let result = try completeResult()
        // What is left out where it is not known would not be looked for.
        #expect(Self.unknown(in: result, at: "result").isEmpty)
        let json = Data(try result.json().utf8)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        #expect(try decoder.decode(BenchmarkResult.self, from: json) == result)
        let page = try ReportPage.text("Sources/StageBenchmarks/REPORT.md")
        let words = Set(page.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
        let names = try ReportPage.names(in: json)
        #expect(names.count > 40)
        #expect(names.subtracting(words) == [])
    }

    /// Paths of the members that are nil.
    private static func unknown(in value: Any, at path: String) -> [String] {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional, mirror.children.isEmpty { return [path] }
        return mirror.children.flatMap { unknown(in: $0.value, at: "\(path).\($0.label ?? "")") }
    }
}
