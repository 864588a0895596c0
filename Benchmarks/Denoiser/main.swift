// Speed and memory of one step of the denoiser on the CPU, at a middle size and with a full window:
//   bench-denoiser [--bfloat16] [--threads N] [--seconds S]
// and of what it consists, or driven by another program, a command a line ("step" prints the seconds of
// one step, "velocity PATH" writes its result as float32):
//   bench-denoiser --profile | --interactive
// torch_denoiser.py computes the same step with PyTorch, in turn with this one, and compares.

import Compute
import ComputeCPU
import Foundation
import Tensors

var arguments = Array(CommandLine.arguments.dropFirst())

/// Takes an option without a value out of the arguments.
@MainActor func flag(_ name: String) -> Bool {
    guard let index = arguments.firstIndex(of: name) else { return false }
    arguments.remove(at: index)
    return true
}

/// Takes an option and its value out of the arguments.
@MainActor func option(_ name: String) -> String? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
        return nil
    }
    defer { arguments.removeSubrange(index...index + 1) }
    return arguments[index + 1]
}

/// Writes a line at once, for a program that waits for it.
func answer(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

let dataType: DataType = flag("--bfloat16") ? .bfloat16 : .float32
let isInteractive = flag("--interactive")
let showsProfile = flag("--profile")
let threads = option("--threads").flatMap { Int($0) }
let seconds = option("--seconds").flatMap { Double($0) } ?? 20
guard arguments.isEmpty else {
    FileHandle.standardError.write(Data("bench-denoiser: what is '\(arguments[0])'?\n".utf8))
    exit(64)
}

let cpu = try CPUDevice(activationType: dataType, threads: threads)
let benchmark = try DenoiserBenchmark(on: cpu)

if isInteractive {
    answer(cpu.instructionSet)
    while let line = readLine() {
        let words = line.split(separator: " ", maxSplits: 1)
        if words.first == "velocity", words.count == 2 {
            let velocity = try benchmark.step(on: cpu)
            let data = velocity.values.withUnsafeBytes { Data($0) }
            try data.write(to: URL(fileURLWithPath: String(words[1])))
            answer("written")
        } else {
            let time = try ContinuousClock().measure { _ = try benchmark.step(on: cpu) }
            answer("\(time / .seconds(1))")
        }
    }
} else if showsProfile {
    let profiler = ProfilingDevice(cpu)
    _ = try benchmark.step(on: profiler)
    profiler.isRecording = true
    let runs = 3
    for _ in 0..<runs { _ = try benchmark.step(on: profiler) }
    let total = profiler.operations.reduce(0) { $0 + $1.seconds }
    for row in profiler.operations {
        print(
            String(
                format: "%5.1f %% %9.2f ms %4d calls  ", 100 * row.seconds / total,
                1000 * row.seconds / Double(runs), row.calls / runs)
                + "\(row.operation) \(row.shapes)")
    }
    print(String(format: "%.1f ms in all", 1000 * total / Double(runs)))
} else {
    _ = peakOfProcess()
    _ = try benchmark.step(on: cpu)
    var times: [Double] = []
    let start = ContinuousClock.now
    repeat {
        times.append(
            try ContinuousClock().measure { _ = try benchmark.step(on: cpu) } / .seconds(1))
    } while (ContinuousClock.now - start) / .seconds(1) < seconds || times.count < 3
    times.sort()
    print(
        String(
            format: "step %@: %.3f s best, %.3f s median of %d", "\(dataType)", times[0],
            times[times.count / 2], times.count))
    print(benchmark.memory.table(on: cpu, peakOfProcess: peakOfProcess()))
}
