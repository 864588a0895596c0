// Speed and memory of one step of the denoiser on the CPU, at a middle size and with a full window:
//   bench-denoiser [--bfloat16] [--int8] [--threads N] [--seconds S]
// and of what it consists, or driven by another program, a command a line ("step" prints the seconds of
// one step, "result PATH" writes its velocity as float32):
//   bench-denoiser --profile | --interactive
// torch_denoiser.py computes the same step with PyTorch, in turn with this one, and compares.

import BenchmarkSupport
import Compute
import ComputeCPU
import Tensors

var arguments = Arguments()
let dataType: DataType = arguments.flag("--bfloat16") ? .bfloat16 : .float32
let matrixType: DataType? = arguments.flag("--int8") ? .int8 : nil
let isInteractive = arguments.flag("--interactive")
let showsProfile = arguments.flag("--profile")
let threads = arguments.option("--threads").flatMap { Int($0) }
let seconds = arguments.option("--seconds").flatMap { Double($0) } ?? 20
arguments.end()

let cpu = try CPUDevice(
    activationType: dataType, matrixType: matrixType, threads: threads)
let benchmark = try DenoiserBenchmark(on: cpu)
let interaction = Interaction("step \(dataType)\(matrixType.map { ", \($0)" } ?? "")") {
    _ = try benchmark.step(on: cpu)
} result: {
    try benchmark.step(on: cpu).values
}

if isInteractive {
    try interaction.run(greeting: cpu.instructionSet)
} else if showsProfile {
    print(try ProfilingDevice(cpu).profile { _ = try benchmark.step(on: $0) })
} else {
    _ = peakOfProcess()
    print(try interaction.measure(seconds: seconds))
    print(benchmark.memory.table(on: cpu, peakOfProcess: peakOfProcess()))
}
