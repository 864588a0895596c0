import CKernels
import Compute
import Tensors

// Products with weights of 8 bits. Sums of products of numbers are made for some rows at a time, and multiplied with the
// scales of row and column afterwards, so that memory is bounded by what follows.
extension CPUDevice {
    /// Bytes of sums at a time: they are read again soon after they were written.
    private static let sumBytes = 16 << 20
    /// Bytes of a weight that are widened at a time.
    private static let widenedBytes = 4 << 20

    /// y = activation(x weightᵀ + bias), added to what y holds if `accumulating`; x is rounded to the weight's type unless
    /// it is of that type.
    func multiplyNarrow(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        guard x.hasFloatRows else {
            throw unsupported("products of \(x.dataType) and \(weight.dataType)")
        }
        let (rows, columns) = (x.shape[0], weight.shape[0])
        let length = max(1, min(rows, Self.sumBytes / (4 * columns)))
        let sums = try allocate([length, columns], .float32)
        for start in stride(from: 0, to: rows, by: length) {
            let range = start..<min(start + length, rows)
            let part = try rounded(x.rows(range), to: weight.dataType)
            let partSums = sums.rows(0..<range.count)
            try multiplyNumbers(part.numbers, weight.numbers, into: partSums)
            try finish(
                partSums, of: part, weight: weight, bias: bias, activation: activation,
                accumulating: accumulating, into: y.rows(range))
        }
    }

    /// x itself if it is of the type, or its rows rounded.
    private func rounded(_ x: Tensor, to dataType: DataType) throws -> Tensor {
        guard x.dataType != dataType else { return x }
        let narrow = try allocateScaledRows(x.shape, dataType)
        try copy(x, into: narrow)
        return narrow
    }

    /// sums [m, n], float32 = x [m, k] weightᵀ of numbers without their scales.
    private func multiplyNumbers(_ x: Tensor, _ weight: Tensor, into sums: Tensor) throws {
        guard !(weight.storage is PackedWeight) else {
            return try multiply(x, weight, nil, .identity, accumulating: false, into: sums)
        }
        // Numbers of 8 bits are exact in bfloat16, and so are their products in float32.
        let type: DataType = Self.isSupported(.bfloat16) ? .bfloat16 : .float32
        let one = try tensor([1], [1])
        func widened(_ numbers: Tensor) throws -> Tensor {
            try cast(numbers.scaled(byOne: one), to: type)
        }
        let wide = try widened(x)
        let columns = weight.shape[0]
        let length = max(1, Self.widenedBytes / (type.size * weight.shape[1]))
        for start in stride(from: 0, to: columns, by: length) {
            let range = start..<min(start + length, columns)
            try multiply(
                wide, widened(weight.rows(range)), nil, .identity, accumulating: false,
                into: sums.columns(range))
        }
    }

    /// What follows the sums, row by row in place: scales, bias, activation, addition.
    private func finish(
        _ sums: Tensor, of x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation,
        accumulating: Bool, into y: Tensor
    ) throws {
        guard let scales = weight.scales.map(vector) else { return }
        let biases = bias.map(vector)
        let (inputs, products, outputs) = (Rows(x), Rows(sums), Rows(y))
        let kernels = kernels
        workers.forRanges(of: products.count, minimum: grain(width: products.width)) { range in
            let (before, writer) = (RowReader(outputs, kernels), RowWriter(outputs, kernels))
            for row in range {
                let sum = products.address(row).assumingMemoryBound(to: Float.self)
                let (table, width) = (kernels.pointee, products.width)
                table.scale_sums(
                    sum, inputs.scale(row).pointee, scales, biases, sum, width)
                let target = accumulating ? sum : writer[row]
                table.activate(activation.kernel, sum, target, width)
                if accumulating { table.add(before[row], sum, nil, 1, writer[row], width) }
                writer.commit(row)
            }
        }
    }
}
