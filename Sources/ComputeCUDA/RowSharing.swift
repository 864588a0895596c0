import Tensors

/// How threads share the rows of a norm.
struct RowSharing {
    /// How a kernel goes about it; what its name says.
    enum Form: String {
        /// A warp for each row, whatever the row is.
        case any = "Any"
        /// Rows in registers, each shared by some threads: `RowPart` in `Common.cuh`.
        case pieces = ""
        /// Rows in registers, each shared by the block, which does several: `RowsInTurns` in `Common.cuh`.
        case turns = "Turns"
    }

    /// The form of the kernel.
    let form: Form
    /// Threads of a row; with turns, rows of a block.
    let share: Int
    /// Threads of a block.
    let block: Int
    /// Blocks.
    let blocks: Int

    /// Pieces of a thread where a block does not take turns.
    private static let piecesOfThread = 4
    fileprivate static let warp = 32
    /// Rows of up to a warp share blocks of this size.
    private static let smallBlock = 128
    /// The largest block of kernels that keep rows in registers.
    private static let largestBlock = 384

    /// A warp for each row.
    init(rows: DeviceRows) {
        self.init(form: .any, lanes: Self.warp, block: 2 * Self.smallBlock, rows: rows.count)
    }

    private init(form: Form, lanes: Int, block: Int, rows: Int) {
        let rowsOfBlock = block / lanes
        self.init(
            form: form, share: lanes, block: block, blocks: (rows + rowsOfBlock - 1) / rowsOfBlock)
    }

    fileprivate init(form: Form, share: Int, block: Int, blocks: Int) {
        (self.form, self.share, self.block, self.blocks) = (form, share, block, blocks)
    }

    /// Pieces in registers, where both are aligned and rows are not too wide, else a warp for each row. Wide rows are done in turns
    /// if it is said how.
    init(rows: DeviceRows, target: DeviceRows, turns: RowTurns?) {
        let threadWidth = DeviceRows.piece * Self.piecesOfThread
        let threads = (rows.width + threadWidth - 1) / threadWidth
        guard rows.hasPieces, target.hasPieces, threads <= Self.largestBlock else {
            self.init(rows: rows)
            return
        }
        if threads <= Self.warp {
            let lanes = (0...5).map { 1 << $0 }.first { $0 >= threads } ?? Self.warp
            self.init(form: .pieces, lanes: lanes, block: Self.smallBlock, rows: rows.count)
        } else if let sharing = turns?.sharing(rows, target) {
            self = sharing
        } else {
            let lanes = threads.roundedUp(to: Self.warp)
            self.init(form: .pieces, lanes: lanes, block: lanes, rows: rows.count)
        }
    }
}

/// How blocks do several rows each, as many blocks as a card holds at once.
struct RowTurns {
    /// Pieces of a thread.
    let pieces: Int
    /// The card's multiprocessors.
    let multiprocessors: Int

    /// Threads of a multiprocessor for which registers suffice, with one piece each.
    private static let threadsOfMultiprocessor = 1280
    /// Blocks of a multiprocessor at most.
    private static let mostBlocks = 16

    /// The division of rows of bfloat16; nil where there is no such kernel.
    func sharing(_ rows: DeviceRows, _ target: DeviceRows) -> RowSharing? {
        let threadWidth = DeviceRows.piece * pieces
        let block = ((rows.width + threadWidth - 1) / threadWidth).roundedUp(to: RowSharing.warp)
        let threads = Self.threadsOfMultiprocessor / pieces
        guard rows.dataType == .bfloat16, target.dataType.size <= 2, 2 * block <= threads else {
            return nil
        }
        let places = multiprocessors * min(threads / block, Self.mostBlocks)
        let turns = (rows.count + places - 1) / places
        return RowSharing(
            form: .turns, share: turns, block: block, blocks: (rows.count + turns - 1) / turns)
    }
}
