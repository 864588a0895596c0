import Foundation

/// What a benchmark repeats, and how another program drives it: a command a line on standard input.
package struct Interaction {
    /// What is timed.
    package let name: String
    private let step: () throws -> Void
    private let result: () throws -> [Float]

    /// A step to be timed, and the result, made for itself, to be compared.
    package init(
        _ name: String, step: @escaping () throws -> Void, result: @escaping () throws -> [Float]
    ) {
        self.name = name
        self.step = step
        self.result = result
    }

    /// Greets with a line, then answers "step" with the seconds of one step by the clock and of the processor,
    /// and "result PATH" when it has written the result there as float32.
    package func run(greeting: String) throws {
        answer(greeting)
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.first == "result", words.count == 2 {
                let data = try result().withUnsafeBytes { Data($0) }
                try data.write(to: URL(fileURLWithPath: String(words[1])))
                answer("written")
            } else {
                let time = try timed()
                answer("\(time.clock) \(time.processor)")
            }
        }
    }

    /// Repeats the step for a while, at least three times; returns a line with the best and the median, and with the
    /// best of the processor's time, which other work lengthens least.
    package func measure(seconds: Double) throws -> String {
        try step()
        var times: [(clock: Double, processor: Double)] = []
        let start = ContinuousClock.now
        repeat {
            times.append(try timed())
        } while (ContinuousClock.now - start) / .seconds(1) < seconds || times.count < 3
        let sorted = times.map(\.clock).sorted()
        return String(
            format: "%@: %.3f s best, %.3f s median of %d; %.3f s of the processor", name,
            sorted[0], sorted[sorted.count / 2], sorted.count,
            times.map(\.processor).min() ?? 0)
    }

    /// Seconds of one step by the clock and, of all threads, of the processor.
    private func timed() throws -> (clock: Double, processor: Double) {
        let before = Self.processorSeconds
        let clock = try ContinuousClock().measure(step) / .seconds(1)
        return (clock, Self.processorSeconds - before)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Writes a line at once, for a program that waits for it.
    private func answer(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
