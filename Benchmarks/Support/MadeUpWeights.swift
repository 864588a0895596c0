import Foundation
import Layers
import Tensors

/// Weights that follow from their names, so that another program can make the same.
package final class MadeUpWeights: WeightSource {
    private var shapes: [String: Shape]

    /// Weights of whatever shape is claimed, and of those from which sizes follow.
    package init(sizes: [String: Shape]) {
        shapes = sizes
    }

    package func shape(of path: String) -> Shape? { shapes[path] }

    package func claim(_ path: String, shape: Shape) { shapes[path] = shape }

    /// Matrices keep the size of what they multiply; vectors are small, but norms' weights near 1.
    package func view(of path: String) -> TensorView {
        let shape = shapes[path] ?? []
        let fan = shape.dimensions.dropFirst().reduce(1, *)
        let isMatrix = path.hasSuffix(".weight") && shape.rank > 1
        let scale = isMatrix ? (3 / Float(fan)).squareRoot() : 0.1
        let isNorm =
            path.contains("norm") && path.hasSuffix(".weight") || path.hasSuffix("gamma")
        let numbers = MadeUpNumbers(
            path, shape.elementCount, scale: scale, around: isNorm ? 1 : 0)
        return TensorView(
            name: path, dataType: .float32, shape: shape, bytes: numbers.bytes, owner: numbers)
    }
}

/// Numbers between -scale and scale that follow from a name: MurmurHash3's finalizer of the index and
/// the name's 32-bit FNV-1a. They lie in memory of their own, so that they leave the heap as weights
/// of a mapped file do.
package final class MadeUpNumbers {
    /// The numbers as float32.
    package let bytes: UnsafeRawBufferPointer

    package init(_ name: String, _ count: Int, scale: Float = 1, around middle: Float = 0) {
        let length = max(1, count) * MemoryLayout<Float>.size
        let address = mmap(
            nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address, address != MAP_FAILED else { fatalError("no memory for '\(name)'") }
        var seed: UInt32 = 2_166_136_261
        for byte in name.utf8 { seed = (seed ^ UInt32(byte)) &* 16_777_619 }
        let numbers = address.bindMemory(to: Float.self, capacity: count)
        for index in 0..<count {
            var hash = UInt32(truncatingIfNeeded: index) &+ seed
            hash = (hash ^ (hash >> 16)) &* 0x85EB_CA6B
            hash = (hash ^ (hash >> 13)) &* 0xC2B2_AE35
            hash ^= hash >> 16
            numbers[index] = middle + scale * (Float(Int32(bitPattern: hash)) * 0x1p-31)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: count * MemoryLayout<Float>.size)
    }

    deinit {
        munmap(
            UnsafeMutableRawPointer(mutating: bytes.baseAddress),
            max(bytes.count, MemoryLayout<Float>.size))
    }

    /// The numbers as an array.
    package var floats: [Float] { Array(bytes.bindMemory(to: Float.self)) }
}
