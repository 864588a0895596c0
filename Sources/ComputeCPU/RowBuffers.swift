import CKernels
import Tensors

/// Reads rows as float32: in place, or widened into a row of its own. One for each thread.
struct RowReader {
    private let rows: Rows
    private let room: RowRoom?
    private let kernels: UnsafePointer<kernel_table>

    /// A reader of rows of float32, bfloat16, or 8 bits with scales.
    init(_ rows: Rows, _ kernels: UnsafePointer<kernel_table>) {
        self.rows = rows
        self.kernels = kernels
        room = rows.dataType == .float32 ? nil : RowRoom(width: rows.width)
    }

    /// The row as float32, valid until the next is asked for.
    subscript(row: Int) -> UnsafePointer<Float> {
        let address = rows.address(row)
        guard let floats = room?.floats else {
            return UnsafePointer(address.assumingMemoryBound(to: Float.self))
        }
        let (kernels, width) = (kernels.pointee, rows.width)
        switch rows.dataType {
        case .int8:
            kernels.from_int8(
                address.assumingMemoryBound(to: Int8.self), rows.scale(row).pointee, floats, width)
        case .float8E4M3:
            kernels.from_float8(
                address.assumingMemoryBound(to: UInt8.self), rows.scale(row).pointee, floats,
                width)
        default:
            kernels.widen(address.assumingMemoryBound(to: UInt16.self), floats, width)
        }
        return UnsafePointer(floats)
    }
}

/// Takes float32 rows: in place, or rounded from a row of its own. One for each thread.
struct RowWriter {
    private let rows: Rows
    private let room: RowRoom?
    private let kernels: UnsafePointer<kernel_table>

    /// A writer of rows of float32, bfloat16, or 8 bits with scales, whose rows are whole.
    init(_ rows: Rows, _ kernels: UnsafePointer<kernel_table>) {
        precondition(!rows.hasScaledRows || rows.rowsOfScale == 1, "a scale is of a whole row")
        self.rows = rows
        self.kernels = kernels
        room = rows.dataType == .float32 ? nil : RowRoom(width: rows.width)
    }

    /// Where to write a row before `commit` is called for it.
    subscript(row: Int) -> UnsafeMutablePointer<Float> {
        room?.floats ?? rows.address(row).assumingMemoryBound(to: Float.self)
    }

    /// Stores the row that was written.
    func commit(_ row: Int) {
        guard let floats = room?.floats else { return }
        let (kernels, address, width) = (kernels.pointee, rows.address(row), rows.width)
        switch rows.dataType {
        case .int8:
            kernels.to_int8(
                floats, 1 / scale(row, floats, largest: 127),
                address.assumingMemoryBound(to: Int8.self), width)
        case .float8E4M3:
            kernels.to_float8(
                floats, 1 / scale(row, floats, largest: 448),
                address.assumingMemoryBound(to: UInt8.self), width)
        default:
            kernels.narrow(floats, address.assumingMemoryBound(to: UInt16.self), width)
        }
    }

    /// The scale of a row: the one that was given, or the one with which its largest element becomes `largest`.
    private func scale(
        _ row: Int, _ floats: UnsafePointer<Float>, largest: Float
    ) -> Float {
        let place = rows.scale(row)
        guard rows.hasScaledRows else { return place.pointee }
        let magnitude = kernels.pointee.magnitude(floats, rows.width)
        // Numbers so small that they would divide by zero become zeros; what is not finite makes the row NaN.
        place.pointee =
            magnitude == 0 ? 1 : max(magnitude / largest, .leastNormalMagnitude)
        return place.pointee
    }
}

/// Memory for one row of float32.
private final class RowRoom {
    let floats: UnsafeMutablePointer<Float>

    init(width: Int) {
        floats = .allocate(capacity: max(1, width))
    }

    deinit { floats.deallocate() }
}
