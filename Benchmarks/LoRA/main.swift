// bench-lora [OUT IN RANK]: merges one LoRA pair into a bfloat16 weight of the real model's largest size.
//
// Prints seconds, and the largest difference to sums in float64 at some elements.

import Checkpoints
import Foundation
import Tensors

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let (rows, columns, rank) =
    numbers.count == 3 ? (numbers[0], numbers[1], numbers[2]) : (13824, 5120, 128)
let folder = NSTemporaryDirectory() + "/bench-lora-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder) }

/// Writes a file of tensors with elements between -1 and 1.
func write(_ path: String, _ dataType: DataType, _ tensors: [(String, Shape)]) throws {
    let writer = try TensorFileWriter(
        path: path,
        tensors: tensors.map { TensorDescriptor(name: $0.0, dataType: dataType, shape: $0.1) })
    for (name, shape) in tensors {
        var state: UInt32 = 1
        let values = (0..<shape.elementCount).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(state >> 8) / Float(1 << 23) - 1
        }
        if dataType == .float32 {
            try values.withUnsafeBytes { try writer.write($0, to: name) }
        } else {
            try values.map { BFloat16($0) }.withUnsafeBytes { try writer.write($0, to: name) }
        }
    }
    try writer.commit()
}

try write(folder + "/base.safetensors", .bfloat16, [("w.weight", [rows, columns])])
try write(
    folder + "/lora.safetensors", .float32,
    [("w.lora_A.weight", [rank, columns]), ("w.lora_B.weight", [rows, rank])])

let base = try TensorFile(path: folder + "/base.safetensors")
let factors = try TensorFile(path: folder + "/lora.safetensors")
let merged = try MergedCheckpoint(base, LoRA(path: factors.path), strict: true)
let clock = ContinuousClock()
for _ in 0..<3 {
    let elapsed = try clock.measure { _ = try merged.tensor("w.weight") }
    print("[\(rows), \(columns)] rank \(rank): \(elapsed)")
}

let (down, up) = (
    try factors.tensor("w.lora_A.weight").floats(), try factors.tensor("w.lora_B.weight").floats()
)
let (before, after) = (
    try base.tensor("w.weight").floats(), try merged.tensor("w.weight").floats()
)
var worst = 0.0
for index in stride(from: 0, to: after.count, by: after.count / 1000 + 1) {
    let (row, column) = (index / columns, index % columns)
    let product = (0..<rank).reduce(0.0) {
        $0 + Double(up[row * rank + $1]) * Double(down[$1 * columns + column])
    }
    let exact = Float(Double(before[index]) + 0.5 * product)
    worst = max(worst, Double(abs(Float(BFloat16(exact)) - after[index]) / max(abs(exact), 1e-3)))
}
print("largest relative difference to float64, rounded to bfloat16: \(worst)")
