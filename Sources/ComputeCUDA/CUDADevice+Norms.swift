import Compute
import Tensors

extension CUDADevice {
    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws {
        precondition(x.shape == y.shape)
        guard x.shape.elementCount > 0 else { return }
        let (rows, target) = (try deviceRows(x, "layerNorm"), try deviceRows(y, "layerNorm"))
        let scales = try groups(scale, of: rows.count, "layerNorm")
        let shifts = try groups(shift, of: rows.count, "layerNorm")
        let (weights, biases) = (vector(weight), vector(bias))
        let isAligned =
            scales.isAligned && shifts.isAligned && weights % 16 == 0 && biases % 16 == 0
        let form = Self.layerNormForm(
            (weight != nil, bias != nil), (scale != nil, shift != nil))
        let turns = scales.divides(like: shifts) ? rowTurns : nil
        let sharing =
            form == nil || !isAligned
            ? RowSharing(rows: rows) : RowSharing(rows: rows, target: target, turns: turns)
        if y.scales != nil, sharing.form != .turns || !y.hasScaledRows {
            let wide = try allocate(y.shape, activationType)
            try layerNorm(
                x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon,
                into: wide)
            return try copy(wide, into: y)
        }
        let kernel = "layerNorm\(sharing.form.rawValue)\(sharing.form == .any ? "" : form ?? "")"
        try launch(
            "LayerNorm.\(kernel)\(suffixes(rows, target, "layerNorm"))",
            grid: (sharing.blocks, 1, 1), block: sharing.block, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride), .address(weights),
            .address(biases), .address(scales.address), .int(scales.stride), .int(scales.length),
            .address(shifts.address), .int(shifts.stride), .int(shifts.length), .int(rows.count),
            .int(rows.width), .int(sharing.share), .float(epsilon), .address(vector(y.scales)))
    }

    /// How wide rows are done in turns, if they are.
    private var rowTurns: RowTurns? {
        tuning.normsTakeTurns
            ? RowTurns(pieces: tuning.normPieces, multiprocessors: context.multiprocessors) : nil
    }

    /// The kernel's name for parameters that come in pairs, of which there is one at most; nil for others.
    private static func layerNormForm(
        _ weights: (Bool, Bool), _ modulation: (Bool, Bool)
    ) -> String? {
        switch (weights, modulation) {
        case ((false, false), (false, false)): ""
        case ((true, true), (false, false)): "W"
        case ((false, false), (true, true)): "M"
        default: nil
        }
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws {
        let width = weight.shape.elementCount
        let (x, y) = (Self.joiningHeads(x, width: width), Self.joiningHeads(y, width: width))
        precondition(x.shape == y.shape && x.shape[-1] == width)
        guard x.shape.elementCount > 0 else { return }
        let (rows, target) = (try deviceRows(x, "rmsNorm"), try deviceRows(y, "rmsNorm"))
        let tables = try groups(rotation?.joiningColumns(), of: rows.count, "rmsNorm")
        let head = rotation.map { 2 * $0.shape[1] } ?? width
        precondition(width % head == 0)
        let weights = vector(weight)
        let isAligned =
            tables.isAligned && weights % 16 == 0
            && (rotation == nil || head % DeviceRows.piece == 0)
        let sharing =
            isAligned
            ? RowSharing(rows: rows, target: target, turns: rowTurns) : RowSharing(rows: rows)
        if y.scales != nil,
            sharing.form != .turns || y.hasScaledRows || y.dataType != .float8E4M3
        {
            let wide = try allocate(y.shape, activationType)
            try rmsNorm(x, weight: weight, epsilon: epsilon, rotation: rotation, into: wide)
            return try copy(wide, into: y)
        }
        try launch(
            "RMSNorm.rmsNorm\(sharing.form.rawValue)\(suffixes(rows, target, "rmsNorm"))",
            grid: (sharing.blocks, 1, 1), block: sharing.block, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride), .address(weights),
            .address(tables.address), .int(tables.stride), .int(tables.length), .int(head),
            .int(rows.count), .int(rows.width), .int(sharing.share), .float(epsilon),
            .address(vector(y.scales)))
    }

    /// Rows of `width`, out of such rows or of [.., heads, head].
    private static func joiningHeads(_ x: Tensor, width: Int) -> Tensor {
        x.shape.rank > 2 && x.shape[-1] != width ? x.joiningColumns() : x
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape && x.shape.rank == 3)
        let head = x.shape[2]
        precondition(head % 2 == 0 && table.shape == [x.shape[0], head / 2, 2])
        guard x.shape.elementCount > 0 else { return }
        guard [x, y].allSatisfy({ $0.shape[1] == 1 || $0.strides[1] == head }) else {
            throw unsupported("rotate of heads that do not lie beside one another")
        }
        let rows = try deviceRows(x.joiningColumns(), "rotate")
        let target = try deviceRows(y.joiningColumns(), "rotate")
        let tables = try groups(table.joiningColumns(), of: rows.count, "rotate")
        let hasPieces =
            rows.hasPieces && target.hasPieces && tables.isAligned && head % DeviceRows.piece == 0
        if y.scales != nil,
            !hasPieces || y.hasScaledRows || x.dataType != .bfloat16 || y.dataType != .float8E4M3
        {
            let wide = try allocate(y.shape, activationType)
            try rotate(x, by: table, into: wide)
            return try copy(wide, into: y)
        }
        let piece = hasPieces ? DeviceRows.piece : 2
        let grid = TileGrid(
            rows: rows.count, width: rows.width, piece: piece, rowsOfThread: tuning.rotateRows)
        try launch(
            "Rotate.rotate\(piece)\(suffixes(rows, target, "rotate"))", grid: (grid.blocks, 1, 1),
            block: TileGrid.block, .address(rows.address), .int(rows.stride),
            .address(target.address), .int(target.stride), .address(tables.address),
            .int(tables.stride), .int(head), .int(rows.count), .int(rows.width),
            .int(grid.threads), .int(grid.columnTiles), .address(vector(y.scales)))
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) throws {
        precondition(x.shape == y.shape && weight.shape.elementCount == x.shape[-1])
        guard x.shape.elementCount > 0 else { return }
        let (rows, target) = (try deviceRows(x, "channelNorm"), try deviceRows(y, "channelNorm"))
        let (suffixes, weights) = (try suffixes(rows, target, "channelNorm"), vector(weight))
        let hasPieces =
            rows.hasPieces && target.hasPieces && weights % 16 == 0
            && rows.dataType == target.dataType && (activation == .identity || activation == .silu)
        guard let sharing = PixelSharing(rows, multiprocessors: context.multiprocessors), hasPieces
        else {
            let sharing = RowSharing(rows: rows)
            return try launch(
                "ChannelNorm.channelNormAny\(suffixes)", grid: (sharing.blocks, 1, 1),
                block: sharing.block, .address(rows.address), .int(rows.stride),
                .address(target.address), .int(target.stride), .address(weights),
                .int(rows.count), .int(rows.width), .int(activation.number))
        }
        try launch(
            "ChannelNorm.channelNorm\(sharing.lanes)\(activation == .silu ? "SiLU" : "")\(suffixes)",
            grid: (sharing.blocks, 1, 1), block: PixelSharing.block, .address(rows.address),
            .int(rows.stride), .address(target.address), .int(target.stride), .address(weights),
            .int(rows.count), .int(sharing.turns))
    }
}

/// How threads share pixels whose channels lie in registers; see `ChannelNorm.cu`.
private struct PixelSharing {
    /// Threads of a pixel.
    let lanes: Int
    /// Pixels that a thread does one after another.
    let turns: Int
    /// Blocks.
    let blocks: Int

    /// Threads of a block.
    static let block = 256
    /// Pieces of a thread.
    private static let piecesOfThread = 3
    /// More make the ends of a launch longer than they save reads of weights.
    private static let mostTurns = 8
    /// Blocks that a multiprocessor holds.
    private static let blocksOfMultiprocessor = 4

    /// The division of pixels on so many multiprocessors; nil unless there is a kernel for their number of channels.
    init?(_ rows: DeviceRows, multiprocessors: Int) {
        let (lanes, rest) = rows.width.quotientAndRemainder(
            dividingBy: DeviceRows.piece * Self.piecesOfThread)
        guard rest == 0, [4, 8, 16, 32].contains(lanes) else { return nil }
        let pixelsOfBlock = Self.block / lanes
        let atOnce = pixelsOfBlock * multiprocessors * Self.blocksOfMultiprocessor
        turns = max(1, min(Self.mostTurns, rows.count / atOnce))
        blocks = (rows.count + pixelsOfBlock * turns - 1) / (pixelsOfBlock * turns)
        self.lanes = lanes
    }
}
