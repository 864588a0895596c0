import Compute
import Tensors

// Products with weights of 8 bits: cuBLASLt multiplies by the scales of rows and columns where the
// card offers that; elsewhere a kernel behind the product does.
extension CUDADevice {
    /// y = activation(x weightᵀ + bias), where the weight, x or y has scales.
    func linearScaled(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: Activation,
        accumulating: Bool, into y: Tensor
    ) throws {
        let isDirect = y.isFloating && !(accumulating && activation != .identity)
        let target = isDirect ? y : try allocate(y.shape, activationType)
        let isActivated = try multiplyScaled(
            x, weight, bias, activation, accumulating: isDirect && accumulating, into: target)
        let rest = isActivated ? Activation.identity : activation
        if !isDirect, accumulating {
            if rest != .identity { try activate(target, rest, into: target) }
            try accumulate(target, onto: y)
        } else if !isDirect || rest != .identity {
            try activate(target, rest, into: y)
        }
    }

    /// The product into wide rows; whether the activation is part of it.
    private func multiplyScaled(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: Activation,
        accumulating: Bool, into y: Tensor
    ) throws -> Bool {
        guard let weightScales = weight.scales else {
            try linear(
                widened(x), weight: weight, bias: bias, activation: activation,
                accumulating: accumulating, into: y)
            return true
        }
        let x = try scaledRows(x, weight.dataType)
        guard let rowScales = x.scales else { preconditionFailure("\(x) has no scales") }
        let scales = ProductScales(x: rowScales, weight: weightScales)
        if weight.dataType == .float8E4M3, tuning.scalesInProducts, abilities.mayScaleInProduct {
            var product = MatrixProduct(x, weight: weight, y: y)
            product.hasScales = true
            product.sumsFast = tuning.sumsFloat8Fast
            product.accumulates = accumulating
            product.hasBias = bias != nil
            for hasGELU in activation == .geluTanh && y.dataType == .bfloat16
                ? [true, false] : [false]
            {
                product.hasGELU = hasGELU
                if try run(product, x, weight, scales, bias, into: y) {
                    return hasGELU || activation == .identity
                }
            }
        }
        let sumType = weight.dataType == .int8 ? DataType.int32 : .bfloat16
        let sums = try allocate(y.shape, sumType)
        if try run(MatrixProduct(x, weight: weight, y: sums), x, weight, nil, nil, into: sums) {
            try rescale(sums, scales, bias, activation, accumulating: accumulating, into: y)
        } else {
            // Widths of which cuBLASLt's kernels of 8 bits do not read the rows.
            try linear(
                widened(x), weight: widened(weight), bias: bias, activation: activation,
                accumulating: accumulating, into: y)
        }
        return true
    }

    /// Whether cuBLASLt offers the product, and computed it.
    private func run(
        _ product: MatrixProduct, _ x: Tensor, _ weight: Tensor, _ scales: ProductScales?,
        _ bias: Tensor?, into y: Tensor
    ) throws -> Bool {
        let bias = try bias.map { try libraries.bias($0, as: y.dataType, on: self) }
        return try libraries.matrixProducts(for: self).run(
            product, x: x, weight: weight, scales: scales, bias: bias, y: y, on: self)
    }

    /// y = activation(sums * scales + bias), added to y if accumulating.
    private func rescale(
        _ sums: Tensor, _ scales: ProductScales, _ bias: Tensor?, _ activation: Activation,
        accumulating: Bool, into y: Tensor
    ) throws {
        let (rows, target) = (try deviceRows(sums, "rescale"), try deviceRows(y, "rescale"))
        let (biases, weightScales) = (vector(bias), vector(scales.weight))
        let hasPieces =
            rows.hasPieces && target.hasPieces && biases % 16 == 0 && weightScales % 16 == 0
        let piece = hasPieces ? DeviceRows.piece : 1
        let rowsOfThread = 2
        let grid = TileGrid(
            rows: rows.count, width: rows.width, piece: piece, rowsOfThread: rowsOfThread)
        let sumName = sums.dataType == .int32 ? "s32" : "bf16"
        try launch(
            "Rescale.rescale\(piece)_\(sumName)_\(suffix(target.dataType, "rescale"))",
            grid: (grid.blocks, 1, 1), block: TileGrid.block, .address(rows.address),
            .int(rows.stride), .address(vector(scales.x)), .address(weightScales), .address(biases),
            .address(target.address), .int(target.stride), .int(rows.count), .int(rows.width),
            .int(grid.threads), .int(grid.columnTiles), .int(activation.number),
            .int(accumulating ? 1 : 0))
    }
}
