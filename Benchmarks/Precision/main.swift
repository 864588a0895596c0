// How far the denoiser in 8 bits is from itself in bfloat16, at the published widths with made-up weights:
//   bench-precision [--card N] [--layers 40] [--size 384x256] [--blocks 2] [--plain]
// Relative errors of the first step's velocity, of the first block's latents and of the last block's, behind all 4 steps.
// Activations have outliers (0.5 % of the channels, 30 times larger, the same ones in each run) unless --plain is given.

import Compute
import ComputeCUDA
import Denoiser
import Foundation
import Layers
import StageBenchmarks
import Tensors
import TestSupport

var arguments = Array(CommandLine.arguments.dropFirst())

/// Takes an option and its value out of the arguments.
@MainActor func option(_ name: String) -> String? {
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
        return nil
    }
    defer { arguments.removeSubrange(index...index + 1) }
    return arguments[index + 1]
}

let ordinal = option("--card").flatMap { Int($0) } ?? 0
let layers = option("--layers").flatMap { Int($0) } ?? 40
let sides = (option("--size") ?? "384x256").split(separator: "x").compactMap { Int($0) }
let blocks = option("--blocks").flatMap { Int($0) } ?? 2
let isPlain = arguments.contains("--plain")
let subject = BenchmarkSubject(
    stage: .denoise, sizes: PublishedSizes(layers: layers), height: sides[1], width: sides[0],
    steps: 4, seconds: 60)

/// A way of computing.
struct Manner {
    let name: String
    var matrixType: DataType?
    var windowType: DataType?
    var hasOneScale = false
    var sumsExactly = false
}

let manners = [
    Manner(name: "bfloat16"),
    Manner(name: "float8, a scale a row", matrixType: .float8E4M3),
    Manner(
        name: "float8, a scale a row, sums in float32", matrixType: .float8E4M3, sumsExactly: true),
    Manner(name: "float8, one scale", matrixType: .float8E4M3, hasOneScale: true),
    Manner(name: "float8 attention alone", windowType: .float8E4M3),
    Manner(
        name: "float8, a scale a row, and attention", matrixType: .float8E4M3,
        windowType: .float8E4M3),
    Manner(name: "int8, a scale a row", matrixType: .int8),
    Manner(name: "int8, one scale", matrixType: .int8, hasOneScale: true),
]

/// What a run gave.
struct Outcome {
    let velocity: [Float]
    let first: [Float]
    let last: [Float]
}

@MainActor func run(_ manner: Manner) throws -> Outcome {
    var tuning = KernelTuning()
    tuning.sumsFloat8Fast = !manner.sumsExactly
    let card = try CUDADevice(
        ordinal: ordinal, activationType: .bfloat16, matrixType: manner.matrixType,
        memoryLimit: nil, tuning: tuning)
    let device: any Device = manner.hasOneScale ? PerTensorDevice(card) : card
    let synthetic = SyntheticWeights(.bfloat16, sizes: subject.sizes.denoiserShapes)
    let weights: any WeightSource = isPlain ? synthetic : OutlierWeights(synthetic)
    let transformer = try CausalTransformer(
        WeightScope(weights), configuration: subject.sizes.denoiser)
    try transformer.parameters.load(on: device)
    let inputs = SyntheticInputs(subject)
    let grid = LatentGrid(height: sides[1] / 8, width: sides[0] / 8, clipFrames: 12)
    let schedule = FlowSchedule(solver: .euler, steps: subject.steps)
    let sequence = try LatentSequence(
        transformer: transformer,
        conditions: DenoisingConditions(
            context: inputs.context(tokens: 512),
            sink: SinkLatents(
                reference: inputs.latents(frames: 1), motion: inputs.latents(frames: 19))),
        randomness: DenoisingRandomness(
            seed: 420, channels: 16, grid: grid, multiprocessors: 132), grid: grid,
        schedule: schedule, windowType: manner.windowType, on: device)
    let sound = inputs.sound(frames: 12, layers: transformer.audioLayerCount)
    let noise = try sequence.noise(of: 0)
    let results = try (0..<blocks).map {
        try sequence.denoise($0, audio: [sound], refresh: { nil })
    }
    let change = schedule.sigmas[1] - schedule.sigmas[0]
    return Outcome(
        velocity: zip(results[0].stepInputs[0].values, noise.values).map { ($0 - $1) / change },
        first: results[0].latents.values, last: results[blocks - 1].latents.values)
}

/// ‖a - b‖ / ‖b‖.
func error(_ a: [Float], _ b: [Float]) -> Double {
    var (difference, length) = (0.0, 0.0)
    for (a, b) in zip(a, b) {
        difference += Double(a - b) * Double(a - b)
        length += Double(b) * Double(b)
    }
    return (difference / length).squareRoot()
}

print("\(layers) layers, \(sides[0])x\(sides[1]), \(isPlain ? "no outliers" : "outliers")")
print("velocity   latents    block \(blocks)")
var reference: Outcome?
for manner in manners {
    let outcome = try run(manner)
    if let reference {
        print(
            String(
                format: "%.3e  %.3e  %.3e  ", error(outcome.velocity, reference.velocity),
                error(outcome.first, reference.first), error(outcome.last, reference.last))
                + manner.name)
    }
    reference = reference ?? outcome
}
