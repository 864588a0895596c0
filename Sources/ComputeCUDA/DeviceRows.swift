import Compute
import Tensors

/// A tensor on the card as rows of one width at one distance from one another.
struct DeviceRows {
    /// Address of the first element.
    let address: UInt64
    let count: Int
    let width: Int
    /// Elements from one row to the next; 0 for a single row.
    let stride: Int
    let dataType: DataType

    /// Elements that a thread loads at once: 16 bytes of bfloat16.
    static let piece = 8

    /// Whether every row is made of whole pieces at multiples of 16 bytes.
    var hasPieces: Bool {
        isAligned(to: min(16, Self.piece * dataType.size)) && width % Self.piece == 0
    }

    /// Whether the rows follow one another without gaps.
    var isContiguous: Bool { count <= 1 || stride == width }

    /// Whether every row begins at a multiple of that many bytes.
    func isAligned(to bytes: Int) -> Bool {
        address % UInt64(bytes) == 0 && stride * dataType.size % bytes == 0
    }

    /// Contiguous rows as others of `width`, which divides the number of all elements.
    func refolded(width: Int) -> DeviceRows {
        let count = self.count * self.width / width
        return DeviceRows(
            address: address, count: count, width: width, stride: count > 1 ? width : 0,
            dataType: dataType)
    }

    /// The rows in units of `bytes`, into which they must be divisible.
    func units(of bytes: Int) -> DeviceRows {
        DeviceRows(
            address: address, count: count, width: width * dataType.size / bytes,
            stride: stride * dataType.size / bytes, dataType: dataType)
    }
}

extension DeviceRows {
    /// The rows along the innermost axis; nil if they do not all lie at one distance, as in tiles.
    init?(_ tensor: Tensor) {
        guard !tensor.isTiled else { return nil }
        let rank = tensor.shape.rank
        var (count, stride) = (1, 0)
        for axis in 0..<max(0, rank - 1) where tensor.shape[axis] != 1 {
            guard count == 1 || stride == tensor.strides[axis] * tensor.shape[axis] else {
                return nil
            }
            count *= tensor.shape[axis]
            stride = tensor.strides[axis]
        }
        self.init(
            address: tensor.address, count: count, width: rank == 0 ? 1 : tensor.shape[-1],
            stride: stride, dataType: tensor.dataType)
    }

    /// Rows of equal numbers of elements in the form that a kernel without parameters for columns walks best: where
    /// none has gaps, as rows of a power of two, so that threads have several of them.
    static func refolded(_ all: [DeviceRows]) -> [DeviceRows] {
        guard let first = all.first, all.allSatisfy(\.isContiguous) else { return all }
        let count = first.count * first.width
        let width = min(1 << count.trailingZeroBitCount, widestFold)
        return all.map { $0.refolded(width: width < narrowestFold ? count : width) }
    }

    /// Rows of 256 threads with a piece each.
    private static let widestFold = 2048
    /// From here on the loss at the ends of rows is small.
    private static let narrowestFold = 256
}

/// Rows [groups, width] of float32 parameters that stand for groups of successive rows.
struct DeviceGroups {
    /// Address of the first row; 0 if there are no parameters.
    let address: UInt64
    /// Elements from one to the next; 0 for a single one, which stands for all rows.
    let stride: Int
    /// Rows for which each stands.
    let length: Int

    /// Whether every row begins at a multiple of 16 bytes.
    let isAligned: Bool

    /// Whether the groups and their distances are another's.
    func divides(like other: DeviceGroups) -> Bool {
        stride == other.stride && length == other.length
    }

    /// No parameters.
    static let none = DeviceGroups(address: 0, stride: 0, length: 1, isAligned: true)
}

/// How a kernel over rows is divided: `Tile` in `Common.cuh`.
struct TileGrid {
    /// Threads of a block that lie beside one another.
    let threads: Int
    /// Blocks beside one another.
    let columnTiles: Int
    /// Blocks in all.
    let blocks: Int

    /// Threads of a block.
    static let block = 256
    /// The division of rows of `width` elements, of which a thread takes `piece` at once from each of `rowsOfThread`.
    init(rows: Int, width: Int, piece: Int, rowsOfThread: Int = 4) {
        let pieces = (width + piece - 1) / piece
        // Fewer threads beside one another would read less than 64 bytes in one go.
        let fewest = piece > 1 ? 4 : 32
        var threads = Self.block
        while threads / 2 >= pieces { threads /= 2 }
        var best = threads
        while threads > fewest {
            threads /= 2
            if Self.total(pieces, threads) < Self.total(pieces, best) { best = threads }
        }
        self.threads = best
        columnTiles = Self.total(pieces, best) / best
        let rowsOfBlock = Self.block / best * rowsOfThread
        blocks = columnTiles * ((rows + rowsOfBlock - 1) / rowsOfBlock)
    }

    /// Threads that a row takes, those without work among them.
    private static func total(_ pieces: Int, _ threads: Int) -> Int {
        (pieces + threads - 1) / threads * threads
    }
}

extension CUDADevice {
    /// A tensor's rows; throws `UnsupportedOperation` where they do not lie at one distance.
    func deviceRows(_ tensor: Tensor, _ operation: String) throws -> DeviceRows {
        guard let rows = DeviceRows(tensor) else {
            throw unsupported("\(operation) of rows at several distances")
        }
        return rows
    }

    /// float32 parameters [groups, width] for `count` rows.
    func groups(_ tensor: Tensor?, of count: Int, _ operation: String) throws -> DeviceGroups {
        guard let tensor else { return .none }
        precondition(tensor.dataType == .float32)
        let rows = try deviceRows(tensor, operation)
        precondition(rows.count > 0 && count % rows.count == 0)
        return DeviceGroups(
            address: rows.address, stride: rows.stride,
            length: rows.count == 1 ? 1 : count / rows.count, isAligned: rows.isAligned(to: 16))
    }

    /// The address of a float32 vector; 0 if there is none.
    func vector(_ tensor: Tensor?) -> UInt64 {
        guard let tensor else { return 0 }
        precondition(tensor.dataType == .float32 && tensor.isContiguous)
        return tensor.address
    }

    /// A type's name in kernels that take float32 and bfloat16.
    func suffix(_ dataType: DataType, _ operation: String) throws -> String {
        switch dataType {
        case .float32: "f32"
        case .bfloat16: "bf16"
        case .float8E4M3: "e4m3"
        case .int8: "s8"
        default: throw unsupported("\(operation) of \(dataType)")
        }
    }

    /// The names of the types of x and y in kernels, as in `_bf16_f32`.
    func suffixes(_ x: DeviceRows, _ y: DeviceRows, _ operation: String) throws -> String {
        try "_\(suffix(x.dataType, operation))_\(suffix(y.dataType, operation))"
    }
}

extension Activation {
    /// Its number in `Common.cuh`.
    var number: Int {
        switch self {
        case .identity: 0
        case .silu: 1
        case .gelu: 2
        case .geluTanh: 3
        }
    }
}
