import Compute
import Tensors

// Weights of 8 bits. Those of int8 are packed for oneDNN where the processor multiplies them; others stay row-major, mapped
// from their file where they are stored so.
extension CPUDevice {
    /// Bytes of float32 that are rounded at a time.
    private static let bytesAtOnce = 16 << 20

    public func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor {
        let (shape, dataType) = (numbers.stackedShape, numbers[0].dataType)
        precondition(scales.stackedShape == [shape[0]])
        guard dataType.isNarrow, numbers.allSatisfy({ $0.dataType == dataType }) else {
            throw unsupported("weights of \(dataType) with scales")
        }
        let stored = try load(numbers, as: dataType, for: .elements)
        let weight = try packed(stored).scaled(byRows: load(scales, as: .float32, for: .elements))
        for view in numbers { view.releasePages() }
        return weight
    }

    /// The views' elements, each row rounded by a scale of its own, some rows at a time.
    func narrowWeight(
        _ views: [TensorView], _ shape: Shape, _ dataType: DataType
    ) throws -> Tensor {
        let narrow = try allocateScaledRows(shape, dataType)
        let length = max(1, Self.bytesAtOnce / max(1, 4 * shape[1]))
        var first = 0
        for view in views {
            for start in stride(from: 0, to: view.shape[0], by: length) {
                let range = start..<min(start + length, view.shape[0])
                let wide = try load([view.rows(range)], as: .float32, for: .elements)
                try copy(wide, into: narrow.rows(first + start..<first + range.upperBound))
            }
            first += view.shape[0]
            view.releasePages()
        }
        guard let scales = narrow.scales else { return narrow }
        return try packed(narrow.numbers).scaled(byRows: scales)
    }

    /// Numbers [n, k] in the form in which they are multiplied.
    private func packed(_ numbers: Tensor) throws -> Tensor {
        guard numbers.dataType == .int8, Self.isSupported(.int8), numbers.shape.elementCount > 0
        else { return numbers }
        return Tensor(
            storage: try PackedWeight(numbers: numbers, on: self), shape: numbers.shape,
            dataType: .int8)
    }
}

extension TensorView {
    /// A range of the outermost axis, in place.
    fileprivate func rows(_ range: Range<Int>) -> TensorView {
        let inner = shape.dimensions.dropFirst()
        let size = inner.reduce(1, *) * dataType.size
        return TensorView(
            name: name, dataType: dataType, shape: Shape([range.count] + inner),
            bytes: UnsafeRawBufferPointer(
                rebasing: bytes[range.lowerBound * size..<range.upperBound * size]),
            owner: owner)
    }
}
