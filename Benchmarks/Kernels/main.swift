// Times the kernels of an NVIDIA card at the sizes of models, by the card's own clock, one line each:
//   bench-kernels [--card N] [--rate GB/S] [FILTER]
// Variants that are no project's choice show what it is worth. `rate` is what a large copy reaches on the card, reads and
// writes counted, to which the times are compared.

import Compute
import ComputeCUDA
import Foundation
import Tensors

var arguments = Array(CommandLine.arguments.dropFirst())

/// Takes an option and its value out of the arguments.
@MainActor func option(_ name: String) -> String? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
        return nil
    }
    defer { arguments.removeSubrange(index...index + 1) }
    return arguments[index + 1]
}

/// The largest difference between numbers, over the largest of the first.
func difference(_ reference: [Float], _ values: [Float]) -> Float {
    let largest = reference.reduce(0) { max($0, abs($1)) }
    return zip(reference, values).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(largest, 1e-12)
}

let ordinal = option("--card").flatMap { Int($0) } ?? 0
let rate = option("--rate").flatMap { Double($0) } ?? 4100
let filter = arguments.first ?? ""

var devices: [KernelTuning: CUDADevice] = [:]
for benchmark in KernelBenchmark.all
where filter.isEmpty || benchmark.name.contains(filter) {
    var chosen: KernelBenchmark.Outcome?
    for variant in benchmark.variants {
        let device =
            try devices[variant.tuning]
            ?? CUDADevice(
                ordinal: ordinal, activationType: .bfloat16, memoryLimit: nil,
                tuning: variant.tuning)
        devices[variant.tuning] = device
        let outcome = try benchmark.measure(on: device)
        let speed = Double(outcome.bytes) / outcome.seconds / 1e9
        let work =
            outcome.flops == 0
            ? String(format: "%7.0f GB/s %5.1f %%  ", speed, 100 * speed / rate)
            : String(
                format: "%7.0f TFLOP/s        ", Double(outcome.flops) / outcome.seconds / 1e12)
        let error = difference(chosen?.values ?? outcome.values, outcome.values)
        print(
            String(format: "%8.1f us ", 1e6 * outcome.seconds) + work
                + "\(benchmark.name), \(variant.name)"
                + (error == 0 ? "" : String(format: " (differs by %.0e)", error))
                + (outcome.unsteady == 0 ? "" : ", \(outcome.unsteady) NOT THE SAME TWICE"))
        chosen = chosen ?? outcome
    }
}
