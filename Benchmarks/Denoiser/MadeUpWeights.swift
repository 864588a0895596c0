import Foundation
import Tensors

/// Weights that follow from their names, so that another program can make the same.
final class MadeUpWeights: WeightSource {
    private var shapes: [String: Shape]

    /// Weights of whatever shape is claimed, and of those from which sizes follow.
    init(sizes: [String: Shape]) {
        shapes = sizes
    }

    func shape(of path: String) -> Shape? { shapes[path] }

    func claim(_ path: String, shape: Shape) { shapes[path] = shape }

    /// Matrices keep the size of what they multiply; vectors are small, but norms' weights near 1.
    func view(of path: String) -> TensorView {
        let shape = shapes[path] ?? []
        let fan = shape.dimensions.dropFirst().reduce(1, *)
        let isMatrix = path.hasSuffix(".weight") && shape.rank > 1
        let scale = isMatrix ? (3 / Float(fan)).squareRoot() : 0.1
        let isNorm = path.contains("norm") && path.hasSuffix(".weight")
        let numbers = madeUp(path, shape.elementCount, scale: scale, around: isNorm ? 1 : 0)
        let data = NSData(data: numbers.withUnsafeBytes { Data($0) })
        return TensorView(
            name: path, dataType: .float32, shape: shape,
            bytes: UnsafeRawBufferPointer(start: data.bytes, count: data.length), owner: data)
    }
}

/// Numbers between -scale and scale that follow from a name: MurmurHash3's finalizer of the index and
/// the name's 32-bit FNV-1a.
func madeUp(_ name: String, _ count: Int, scale: Float = 1, around middle: Float = 0) -> [Float] {
    var seed: UInt32 = 2_166_136_261
    for byte in name.utf8 { seed = (seed ^ UInt32(byte)) &* 16_777_619 }
    return (0..<count).map { index in
        var hash = UInt32(truncatingIfNeeded: index) &+ seed
        hash = (hash ^ (hash >> 16)) &* 0x85EB_CA6B
        hash = (hash ^ (hash >> 13)) &* 0xC2B2_AE35
        hash ^= hash >> 16
        return middle + scale * (Float(Int32(bitPattern: hash)) * 0x1p-31)
    }
}
