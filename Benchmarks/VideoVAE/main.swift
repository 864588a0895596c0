// Speed of the VAE's decoder on the CPU: 3 latents, 12 frames, in the middle of a stream:
//   bench-vae [--bfloat16] [--threads N] [--seconds S] [--size 384x256] [--channels N] [--latents-per-pass N]
// and of what it consists, or driven by another program, a command a line ("step" prints the seconds of
// one block, "result PATH" writes frames as float32):
//   bench-vae --profile | --interactive
// torch_vae.py computes the same with PyTorch, in turn with this one, and compares.

import BenchmarkSupport
import Compute
import ComputeCPU
import Tensors

var arguments = Arguments()
let dataType: DataType = arguments.flag("--bfloat16") ? .bfloat16 : .float32
let isInteractive = arguments.flag("--interactive")
let showsProfile = arguments.flag("--profile")
let threads = arguments.option("--threads").flatMap { Int($0) }
let seconds = arguments.option("--seconds").flatMap { Double($0) } ?? 20
let channels = arguments.option("--channels").flatMap { Int($0) } ?? 96
let latentsPerPass = arguments.option("--latents-per-pass").flatMap { Int($0) } ?? 3
let size = (arguments.option("--size") ?? "384x256").split(separator: "x").compactMap { Int($0) }
arguments.end()
precondition(size.count == 2, "a size is WIDTHxHEIGHT")

let cpu = try CPUDevice(activationType: dataType, threads: threads)
let benchmark = try DecoderBenchmark(
    channels: channels, size: (size[0], size[1]), latentsPerPass: latentsPerPass, on: cpu)

if showsProfile {
    let profiler = ProfilingDevice(cpu)
    let next = try benchmark.blocks(on: profiler)
    print(try profiler.profile { _ in _ = try next() })
} else {
    let next = try benchmark.blocks(on: cpu)
    let interaction = Interaction("block \(dataType)") {
        _ = try next()
    } result: {
        try benchmark.result()
    }
    if isInteractive {
        try interaction.run(greeting: cpu.instructionSet)
    } else {
        print(try interaction.measure(seconds: seconds))
    }
}
