import Compute
import Foundation
import Tensors

extension CUDADevice: CandidateReporting {
    /// Products, attention and convolutions that this device computed so far, the most work first, each with the time of at most `limit`
    /// ways of its library, and with convolutions of another form that would give the same.
    public func candidateTable(limit: Int, seconds: Double) throws -> String {
        try synchronize()
        try context.activate()
        let problems = try candidateProblems()
        let timer = try CandidateTimer(problems, on: self)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var lines = ["candidates: times are means of many calls in a row, on a card at work"]
        for (index, problem) in problems.enumerated() {
            let left = (end - clock.now) / .seconds(1)
            guard left > 0 else {
                lines.append("out of time: \(problems.count - index) problems were not tried")
                break
            }
            // The first problems matter most; later ones share what these leave.
            let share = max(left / 6, left / Double(problems.count - index))
            let results = try timer.results(problem, limit: limit, seconds: share)
            lines += Self.lines(problem, results)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func candidateProblems() throws -> [CandidateProblem] {
        let products = try libraries.openProducts.map { try $0.candidateProblems(on: self) } ?? []
        let graphs = try libraries.openCUDNN.map { try $0.candidateProblems(on: self) } ?? []
        return (products + graphs).sorted { $0.flops > $1.flops }
    }

    /// A problem's table, and its entry for the table of choices.
    private static func lines(
        _ problem: CandidateProblem, _ results: [CandidateTimer.Result]
    ) -> [String] {
        let used = problem.choice.flatMap { choice in results.first { $0.name == choice } }
        guard let best = results.min(by: { $0.milliseconds < $1.milliseconds }),
            let now = used ?? results.first
        else { return [problem.title, "  no candidates"] }
        let rows = results.map { result in
            let mark =
                (result.rank == best.rank ? "+" : " ") + (result.rank == now.rank ? "*" : " ")
            return String(
                format: "%@%3d %9.4f ms %7.1f TFLOP/s %7.1f MB  ", mark, result.rank,
                result.milliseconds, problem.flops / Double(result.milliseconds) / 1e9,
                Double(result.workspaceBytes) / 1e6) + result.name
        }
        let gain = String(format: "%.4f ms, not %.4f", best.milliseconds, now.milliseconds)
        let entry = problem.key.map { ["  // \(gain)", "  \"\($0)\": \"\(best.name)\","] }
        return [problem.title] + rows + (entry ?? [])
    }
}
