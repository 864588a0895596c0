import Compute
import Tensors

// Tensors of 8 bits for cases. Rows differ in size, so that each needs its own scale.
extension CaseInputs {
    /// Random numbers [rows, columns] in the run's type unless said, whose rows differ in size.
    mutating func unevenRows(_ shape: Shape, _ type: DataType? = nil) throws -> Tensor {
        try tensor(uneven(shape).map(Float.init), shape, type ?? dataType)
    }

    /// Random numbers of 8 bits [rows, columns] with a scale for each row.
    mutating func scaledRows(_ shape: Shape, _ type: DataType) throws -> Tensor {
        let rows = NarrowRows(uneven(shape), width: shape[1], type)
        let numbers = try device.tensor(rows.numbers.map(type.bits), shape, type)
        return numbers.scaled(byRows: try device.tensor(rows.scales.map(Float.init), [shape[0]]))
    }

    /// Random numbers of 8 bits of variance 1 with this scale for all.
    mutating func scaledByOne(
        _ shape: Shape, _ type: DataType, scale: Float
    ) throws -> Tensor {
        let numbers = numbers(shape.elementCount, 1).map {
            type.bits(of: type.roundedToNumber(Double($0 / scale)))
        }
        return try device.tensor(numbers, shape, type).scaled(byOne: device.tensor([scale], [1]))
    }

    /// A random weight [n, k] of 8 bits, loaded as it would be stored; its rows are made of `parts` views.
    mutating func storedWeight(
        _ shape: Shape, _ type: DataType, parts: Int = 1
    ) throws -> Tensor {
        let (size, width) = (1 / Double(shape[1]).squareRoot(), shape[1])
        let rows = NarrowRows(uneven(shape).map { $0 * size }, width: width, type)
        let bits = rows.numbers.map(type.bits)
        let ranges = (0..<parts).map { $0 * shape[0] / parts..<($0 + 1) * shape[0] / parts }
        return try device.load(
            ranges.map {
                hostView(
                    Array(bits[$0.lowerBound * width..<$0.upperBound * width]), [$0.count, width],
                    type)
            },
            scales: ranges.map {
                hostView(rows.scales[$0].map(Float.init), [$0.count], .float32)
            })
    }

    /// A matrix of 8 bits with a scale for each row, all of it NaN or nonsense, for an operation to write.
    func outputRows(_ shape: Shape, _ type: DataType) throws -> Tensor {
        try output(shape, type).scaled(byRows: output([shape[0]], .float32))
    }

    /// A tensor of 8 bits with this scale for all, its numbers nonsense, for an operation to write.
    func outputByOne(_ shape: Shape, _ type: DataType, scale: Float) throws -> Tensor {
        try output(shape, type).scaled(byOne: device.tensor([scale], [1]))
    }

    /// Random numbers whose rows differ in size.
    private mutating func uneven(_ shape: Shape) -> [Double] {
        numbers(shape.elementCount, 1).enumerated().map { index, number in
            Double(Float(BFloat16(number * Float(1 + index / max(1, shape[1]) % 5))))
        }
    }
}
