import Compute
import Tensors

extension CUDADevice {
    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        precondition(x.shape == y.shape)
        guard x.shape.elementCount > 0 else { return }
        guard x.scales == nil && y.scales == nil else {
            return try convertScaled(x, activation, into: y)
        }
        let all = DeviceRows.refolded([
            try deviceRows(x, "activate"), try deviceRows(y, "activate"),
        ])
        let (rows, target) = (all[0], all[1])
        let piece = rows.hasPieces && target.hasPieces ? DeviceRows.piece : 1
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: piece)
        try launch(
            "Activate.activate\(piece)\(suffixes(rows, target, "activate"))",
            grid: (grid.blocks, 1, 1), block: TileGrid.block, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride), .int(rows.count),
            .int(rows.width), .int(grid.threads), .int(grid.columnTiles), .int(activation.number))
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws {
        precondition(x.shape == factor.shape && x.shape == y.shape)
        guard x.shape.elementCount > 0 else { return }
        guard x.dataType == factor.dataType else {
            throw unsupported("multiply of \(x.dataType) by \(factor.dataType)")
        }
        let all = DeviceRows.refolded(try [x, factor, y].map { try deviceRows($0, "multiply") })
        let (rows, factors, target) = (all[0], all[1], all[2])
        let piece = all.allSatisfy(\.hasPieces) ? DeviceRows.piece : 1
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: piece)
        try launch(
            "Multiply.multiply\(piece)\(suffixes(rows, target, "multiply"))",
            grid: (grid.blocks, 1, 1), block: TileGrid.block, .address(rows.address),
            .int(rows.stride), .address(factors.address), .int(factors.stride),
            .address(target.address), .int(target.stride), .int(rows.count), .int(rows.width),
            .int(grid.threads), .int(grid.columnTiles), .int(activation.number))
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws {
        precondition(x.shape == y.shape && addend.shape[-1] == x.shape[-1])
        guard x.shape.elementCount > 0 else { return }
        let (rows, target) = (try deviceRows(x, "add"), try deviceRows(y, "add"))
        let addends = try deviceRows(addend, "add")
        precondition(addends.count > 0 && rows.count % addends.count == 0)
        precondition(mask.map { $0.shape.elementCount == rows.count } ?? true)
        let gates = try groups(gate, of: rows.count, "add")
        let hasPieces = rows.hasPieces && target.hasPieces && addends.hasPieces && gates.isAligned
        let piece = hasPieces ? DeviceRows.piece : 1
        let grid = TileGrid(
            rows: rows.count, width: rows.width, piece: piece, rowsOfThread: tuning.addRows)
        let types = try [rows, addends, target].map { try suffix($0.dataType, "add") }
        try launch(
            "Add.add\(piece)_\(types.joined(separator: "_"))", grid: (grid.blocks, 1, 1),
            block: TileGrid.block, .address(rows.address), .int(rows.stride),
            .address(addends.address), .int(addends.stride),
            .int(addends.count == 1 ? 1 : rows.count / addends.count), .address(target.address),
            .int(target.stride), .address(gates.address), .int(gates.stride), .int(gates.length),
            .address(vector(mask)), .float(alpha), .int(rows.count), .int(rows.width),
            .int(grid.threads), .int(grid.columnTiles))
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape)
        precondition(scale.shape.elementCount == x.shape[-1] && scale.shape == shift.shape)
        guard x.shape.elementCount > 0 else { return }
        let (rows, target) = (try deviceRows(x, "affine"), try deviceRows(y, "affine"))
        let (scales, shifts) = (vector(scale), vector(shift))
        let hasPieces =
            rows.hasPieces && target.hasPieces && scales % 16 == 0 && shifts % 16 == 0
        let piece = hasPieces ? DeviceRows.piece : 1
        let grid = TileGrid(rows: rows.count, width: rows.width, piece: piece)
        try launch(
            "Affine.affine\(piece)\(suffixes(rows, target, "affine"))", grid: (grid.blocks, 1, 1),
            block: TileGrid.block, .address(rows.address), .int(rows.stride),
            .address(target.address), .int(target.stride), .address(scales), .address(shifts),
            .int(rows.count), .int(rows.width), .int(grid.threads), .int(grid.columnTiles))
    }
}
