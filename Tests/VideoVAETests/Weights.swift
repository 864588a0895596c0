import Foundation
import Tensors

/// A checkpoint of any width, its numbers drawn for each path from the path and a seed: weights that keep
/// the size of what they are applied to, gammas near 1, small biases.
final class SeededWeights: WeightSource {
    private(set) var shapes: [String: Shape] = [:]
    private let width: Int
    private let seed: UInt64

    init(width: Int, seed: UInt64) {
        self.width = width
        self.seed = seed
    }

    func shape(of path: String) -> Shape? {
        path == "encoder.conv1.weight" ? [width, 3, 3, 3, 3] : nil
    }

    func claim(_ path: String, shape: Shape) { shapes[path] = shape }

    /// The numbers of a claimed path, in row-major order.
    func floats(_ path: String) -> [Float] {
        guard let shape = shapes[path] else { preconditionFailure("'\(path)' was not claimed") }
        var random = SeededNumbers(
            seed: path.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
        let fanIn = shape.elementCount / shape[0]
        let (center, spread): (Float, Float) =
            path.hasSuffix("gamma")
            ? (1, 0.3)
            : path.hasSuffix("bias") ? (0, 0.1) : (0, (3 / Float(fanIn)).squareRoot())
        return (0..<shape.elementCount).map { _ in center + spread * random.next() }
    }

    func view(of path: String) throws -> TensorView {
        let data = floats(path).withUnsafeBytes { NSData(bytes: $0.baseAddress, length: $0.count) }
        guard let shape = shapes[path] else { preconditionFailure("'\(path)' was not claimed") }
        return TensorView(
            name: path, dataType: .float32, shape: shape,
            bytes: UnsafeRawBufferPointer(start: data.bytes, count: data.length), owner: data)
    }
}

/// Numbers between -1 and 1 by a linear congruence (Knuth's MMIX constants).
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
    }

    mutating func next(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}
