import Compute
import Tensors

/// The largest absolute difference of two tensors of one shape, infinite if one has another; `clamped` to
/// -1...1 first, as the released code leaves frames.
func largestError(
    _ result: Tensor, _ expected: Tensor, clamped: Bool = false, on device: any Device
) throws -> Float {
    guard result.shape == expected.shape else { return .infinity }
    return try zip(device.floats(result), device.floats(expected)).reduce(0) {
        let value = clamped ? min(max($1.0, -1), 1) : $1.0
        // Not a number is no agreement.
        return value == value ? max($0, abs(value - $1.1)) : .infinity
    }
}

extension Device {
    /// Part of a file on the device, its axes in another order.
    func tensor(_ name: String, of file: TensorFile, axes: [Int]) throws -> Tensor {
        let view = try file.tensor(name)
        return try permuted(tensor(view.floats(), view.shape), axes: axes)
    }
}

/// [channels, n, h, w]: a range of n.
func piece(_ all: Tensor, _ range: Range<Int>, on device: any Device) throws -> Tensor {
    let byFrame = try device.permuted(all, axes: [1, 0, 2, 3])
    return try device.permuted(byFrame.rows(range), axes: [1, 0, 2, 3])
}
