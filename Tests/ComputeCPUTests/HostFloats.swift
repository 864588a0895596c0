import Tensors

/// Bytes on the host that views can be made of.
final class HostBytes: @unchecked Sendable {
    private let buffer: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        buffer = .allocate(byteCount: bytes.count, alignment: 64)
        buffer.copyBytes(from: bytes)
    }

    deinit { buffer.deallocate() }

    /// The bytes from `start` on as a tensor.
    func view(_ dataType: DataType, _ shape: Shape, skipping start: Int = 0) -> TensorView {
        let range = start..<start + shape.elementCount * dataType.size
        return TensorView(
            name: "tensor", dataType: dataType, shape: shape,
            bytes: UnsafeRawBufferPointer(rebasing: buffer[range]), owner: self)
    }
}

/// Floats on the host that views can be made of.
struct HostFloats {
    private let bytes: HostBytes

    init(_ numbers: [Float]) {
        bytes = HostBytes(numbers.withUnsafeBytes { Array($0) })
    }

    /// The numbers as a tensor.
    func view(_ shape: Shape) -> TensorView { bytes.view(.float32, shape) }
}

/// Numbers between -1 and 1, the same in every run.
func noise(_ count: Int) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) * 0x1p-31
    }
}
