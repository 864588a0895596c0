import Compute
import Tensors

// Tensors of 8 bits with scales: into them, and out of them.
extension CUDADevice {
    public func allocateInput(rows: Int, of weight: Tensor) throws -> Tensor {
        let shape: Shape = [rows, weight.shape[1]]
        guard weight.scales != nil else { return try allocate(shape, activationType) }
        return try allocateScaledRows(shape, weight.dataType)
    }

    /// y = activation(x) where x or y has scales.
    func convertScaled(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        precondition(x.shape == y.shape)
        guard x.scales == nil else {
            guard y.scales != nil || activation != .identity else { return try widen(x, into: y) }
            let wide = try allocate(x.shape, .float32)
            try widen(x, into: wide)
            return try activate(wide, activation, into: y)
        }
        guard x.isFloating else {
            throw unsupported("conversion of \(x.dataType) to scaled \(y.dataType)")
        }
        if y.hasScaledRows { return try quantize(x, activation, into: y) }
        guard activation != .identity else { return try quantizeByOne(x, into: y) }
        let activated = try allocate(x.shape, .float32)
        try activate(x, activation, into: activated)
        try quantizeByOne(activated, into: y)
    }

    /// Rows of numbers, each with the scale by which its largest becomes the largest number.
    private func quantize(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        let (x, y) = (Self.joined(x), Self.joined(y))
        let (rows, target) = (try deviceRows(x, "quantize"), try deviceRows(y, "quantize"))
        let names = try suffixes(rows, target, "quantize")
        let scales = vector(y.scales)
        let pieces = (rows.width + DeviceRows.piece - 1) / DeviceRows.piece
        let perThread = [1, 2, 4].first { pieces <= $0 * Self.fewThreads } ?? 4
        let threads = ((pieces + perThread - 1) / perThread).roundedUp(to: 32)
        let isWhole = rows.hasPieces && target.hasPieces && threads <= Self.mostThreads
        let rowsOfBlock = 8
        try launch(
            "Quantize.quantize\(isWhole ? "\(perThread)" : "Any")\(names)",
            grid: (isWhole ? rows.count : (rows.count + rowsOfBlock - 1) / rowsOfBlock, 1, 1),
            block: isWhole ? threads : 32 * rowsOfBlock, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride), .address(scales),
            .int(rows.count), .int(rows.width), .int(activation.number))
    }

    /// The rows of a matrix whose columns are several axes.
    private static func joined(_ matrix: Tensor) -> Tensor {
        matrix.shape.rank > 2 ? joined(matrix.joiningColumns()) : matrix
    }

    /// Threads of a block up to which more pieces in each do not pay.
    private static let fewThreads = 448
    /// The largest block of kernels that keep rows in registers.
    private static let mostThreads = 640

    /// x [rows, ...] in tiles of rows: elements by the scale that y has, or numbers as they are. What is left of the last tile
    /// becomes 0.
    func tile(_ x: Tensor, into y: Tensor) throws {
        let width = y.shape.dimensions.dropFirst().reduce(1, *)
        let rows = try deviceRows(Self.joined(x), "tiling")
        let (columns, rowsOfBlock) = (128, 64)
        guard width % columns == 0, rows.isAligned(to: 4 * x.dataType.size) else {
            throw unsupported("tiling of rows of \(width)")
        }
        precondition(y.isTiled && y.address % 16 == 0)
        try launch(
            "TileValues.tileValues_\(suffix(x.dataType, "tiling"))",
            grid: ((rows.count + rowsOfBlock - 1) / rowsOfBlock, width / columns, 1), block: 256,
            .address(rows.address), .int(rows.stride), .int(rows.count), .int(width),
            .address(x.isFloating ? vector(y.scales) : 0), .address(y.address))
    }

    /// Numbers by the scale that y has.
    private func quantizeByOne(_ x: Tensor, into y: Tensor) throws {
        guard !y.isTiled else {
            precondition(
                y.shape[0] % Tensor.tileRows == 0, "rows behind these lie in the same tile")
            return try tile(x, into: y)
        }
        let all = DeviceRows.refolded([
            try deviceRows(x, "quantize"), try deviceRows(y, "quantize"),
        ])
        let (rows, target) = (all[0], all[1])
        let piece = rows.hasPieces && target.hasPieces ? DeviceRows.piece : 1
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: piece)
        try launch(
            "QuantizeByOne.quantizeByOne\(piece)\(suffixes(rows, target, "quantize"))",
            grid: (grid.blocks, 1, 1), block: TileGrid.block, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride),
            .address(vector(y.scales)), .int(rows.count), .int(rows.width), .int(grid.threads),
            .int(grid.columnTiles))
    }

    /// y = number * scale.
    private func widen(_ x: Tensor, into y: Tensor) throws {
        let (x, y) = x.hasScaledRows ? (Self.joined(x), Self.joined(y)) : (x, y)
        let (rows, target) = (try deviceRows(x, "widen"), try deviceRows(y, "widen"))
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: 1)
        try launch(
            "Widen.widen\(suffixes(rows, target, "widen"))", grid: (grid.blocks, 1, 1),
            block: TileGrid.block, .address(rows.address), .int(rows.stride),
            .address(vector(x.scales)), .int(x.hasScaledRows ? 1 : 0), .address(target.address),
            .int(target.stride), .int(rows.count), .int(rows.width), .int(grid.threads),
            .int(grid.columnTiles))
    }

    /// A vector [count] of one scale.
    func spread(_ scale: Tensor, count: Int) throws -> Tensor {
        let y = try allocate([count], .float32)
        try launch(
            "QuantizeByOne.spread", grid: ((count + 255) / 256, 1, 1), block: 256,
            .address(vector(scale)), .address(y.address), .int(count))
        return y
    }

    /// x [rows, k] as numbers of a type with a scale for each row.
    func scaledRows(_ x: Tensor, _ dataType: DataType) throws -> Tensor {
        if x.dataType == dataType, let scales = x.scales {
            if x.hasScaledRows { return x }
            return try x.numbers.scaled(byRows: spread(scales, count: x.shape[0]))
        }
        let y = try allocateScaledRows(x.shape, dataType)
        try convertScaled(x, .identity, into: y)
        return y
    }

    /// x without scales, in the activations' type.
    func widened(_ x: Tensor) throws -> Tensor {
        x.scales == nil ? x : try cast(x, to: activationType)
    }
}
