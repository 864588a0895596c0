import Compute
import Tensors

extension CUDADevice {
    public func copy(_ x: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape)
        guard x.shape.elementCount > 0 else { return }
        guard x.scales == nil && y.scales == nil else {
            return try convertScaled(x, .identity, into: y)
        }
        guard x.dataType == y.dataType else { return try convert(x, into: y) }
        guard let rows = DeviceRows(x), let target = DeviceRows(y) else {
            return try move(AxisPairs(x, axes: Array(0..<x.shape.rank), y), x, y)
        }
        let all = DeviceRows.refolded([rows, target])
        let unit = Self.unit { unit in
            all.allSatisfy { $0.isAligned(to: unit) && $0.width * $0.dataType.size % unit == 0 }
        }
        let (source, sink) = (all[0].units(of: unit), all[1].units(of: unit))
        let grid = TileGrid(rows: source.count, width: source.width, piece: 1)
        try launch(
            "Copy.copy\(unit)", grid: (grid.blocks, 1, 1), block: TileGrid.block,
            .address(source.address), .int(source.stride), .address(sink.address),
            .int(sink.stride), .int(source.count), .int(source.width), .int(grid.threads),
            .int(grid.columnTiles))
    }

    /// y = x of another type, which may be one that only checkpoints have.
    private func convert(_ x: Tensor, into y: Tensor) throws {
        let name: String
        switch x.dataType {
        case .float32, .bfloat16: return try activate(x, .identity, into: y)
        case .float16: name = "f16"
        case .float64: name = "f64"
        default: throw unsupported("conversion of \(x.dataType) to \(y.dataType)")
        }
        let all = DeviceRows.refolded([try deviceRows(x, "copy"), try deviceRows(y, "copy")])
        let (rows, target) = (all[0], all[1])
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: 1)
        try launch(
            "Convert.convert_\(name)_\(suffix(y.dataType, "copy"))", grid: (grid.blocks, 1, 1),
            block: TileGrid.block, .address(rows.address), .int(rows.stride),
            .address(target.address), .int(target.stride), .int(rows.count), .int(rows.width),
            .int(grid.threads), .int(grid.columnTiles))
    }

    /// The largest size of 16, 8, 4, 2 and 1 bytes into which everything can be divided.
    private static func unit(_ divides: (Int) -> Bool) -> Int {
        [16, 8, 4, 2].first(where: divides) ?? 1
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        precondition(indices.dataType == .int32 && indices.isContiguous)
        precondition(y.shape == [indices.shape.elementCount, table.shape[-1]])
        guard y.shape.elementCount > 0 else { return }
        let (rows, target) = (try deviceRows(table, "gather"), try deviceRows(y, "gather"))
        let piece = rows.hasPieces && target.hasPieces ? DeviceRows.piece : 1
        let grid = TileGrid(rows: target.count, width: target.width, piece: piece)
        try launch(
            "Gather.gather\(piece)\(suffixes(rows, target, "gather"))", grid: (grid.blocks, 1, 1),
            block: TileGrid.block, .address(rows.address), .int(rows.stride), .int(rows.count),
            .address(indices.address), .address(target.address), .int(target.stride),
            .int(target.count), .int(target.width), .int(grid.threads), .int(grid.columnTiles))
    }

    public func upsample(_ x: Tensor, into y: Tensor) throws {
        let (frames, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let parts = y.shape[0] == 2 * frames && 2 * y.shape[3] == x.shape[3] ? 2 : 1
        let channels = x.shape[3] / parts
        precondition(y.shape == [parts * frames, 2 * height, 2 * width, channels])
        precondition(x.dataType == y.dataType && x.isContiguous && y.isContiguous)
        guard y.shape.elementCount > 0 else { return }
        let bytes = channels * x.dataType.size
        let unit = Self.unit {
            bytes % $0 == 0 && (x.address | y.address) % UInt64($0) == 0
        }
        let lines = parts * frames * height
        let grid = TileGrid(rows: lines, width: width * (bytes / unit), piece: 1)
        try launch(
            "Upsample.upsample\(unit)", grid: (grid.blocks, 1, 1), block: TileGrid.block,
            .address(x.address), .address(y.address), .int(lines), .int(height), .int(width),
            .int(bytes / unit), .int(parts), .int(grid.threads), .int(grid.columnTiles))
    }

    public func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape && y.dataType == .uint8)
        guard x.shape.elementCount > 0 else { return }
        let all = DeviceRows.refolded([
            try deviceRows(x, "quantizePixels"), try deviceRows(y, "quantizePixels"),
        ])
        let (rows, target) = (all[0], all[1])
        let hasPieces = rows.hasPieces && target.isAligned(to: DeviceRows.piece)
        let piece = hasPieces ? DeviceRows.piece : 1
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: piece)
        try launch(
            "QuantizePixels.quantize\(piece)_\(suffix(rows.dataType, "quantizePixels"))",
            grid: (grid.blocks, 1, 1), block: TileGrid.block, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride), .int(rows.count),
            .int(rows.width), .int(grid.threads), .int(grid.columnTiles))
    }
}

// MARK: - Permutation

extension CUDADevice {
    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        precondition(axes.sorted() == Array(0..<x.shape.rank) && y.isContiguous)
        precondition(axes.map { x.shape[$0] } == y.shape.dimensions)
        guard y.shape.elementCount > 0 else { return }
        guard x.dataType == y.dataType else {
            return try permute(cast(x, to: y.dataType), axes: axes, into: y)
        }
        let pairs = AxisPairs(x, axes: axes, y)
        guard let plan = Transposition(pairs) else { return try move(pairs, x, y) }
        let outer = plan.others
        try launch(
            "Permute.transpose\(x.dataType.size)", grid: (plan.tiles, plan.batches, 1),
            block: Transposition.block, .address(x.address), .address(y.address),
            .int(plan.rows.extent), .int(plan.columns.extent), .int(plan.rows.source),
            .int(plan.columns.target), .int(outer[0].extent), .int(outer[0].source),
            .int(outer[0].target), .int(outer[1].extent), .int(outer[1].source),
            .int(outer[1].target), .int(outer[2].extent), .int(outer[2].source),
            .int(outer[2].target), .int(outer[3].extent), .int(outer[3].source),
            .int(outer[3].target))
    }

    /// Moves elements one by one, or in larger units where both sides keep them together.
    private func move(_ pairs: AxisPairs, _ x: Tensor, _ y: Tensor) throws {
        let size = x.dataType.size
        let isKept = pairs.axes.last.map { $0.source == 1 && $0.target == 1 } ?? false
        let unit =
            !isKept
            ? size
            : Self.unit { unit in
                (x.address | y.address) % UInt64(unit) == 0
                    && pairs.isDivisible(into: unit, size: size)
            }
        guard let axes = pairs.units(of: unit, size: size).padded(to: 6) else {
            throw unsupported("an order of more than six axes")
        }
        let count = axes.reduce(1) { $0 * $1.extent }
        guard count <= Int(UInt32.max) else { throw unsupported("an order of so many elements") }
        let block = TileGrid.block
        try launch(
            "Permute.move\(unit)", grid: ((count + block - 1) / block, 1, 1), block: block,
            .address(x.address), .address(y.address), .int(count), .int(axes[0].extent),
            .int(axes[0].source), .int(axes[0].target), .int(axes[1].extent),
            .int(axes[1].source), .int(axes[1].target), .int(axes[2].extent),
            .int(axes[2].source), .int(axes[2].target), .int(axes[3].extent),
            .int(axes[3].source), .int(axes[3].target), .int(axes[4].extent),
            .int(axes[4].source), .int(axes[4].target), .int(axes[5].extent),
            .int(axes[5].source), .int(axes[5].target))
    }
}
