import CKernels
import Tensors

/// Reads rows as float32: in place, or widened into a row of its own. One for each thread.
struct RowReader {
    private let rows: Rows
    private let room: RowRoom?
    private let kernels: UnsafePointer<kernel_table>

    /// A reader of float32 or bfloat16 rows.
    init(_ rows: Rows, _ kernels: UnsafePointer<kernel_table>) {
        self.rows = rows
        self.kernels = kernels
        room = rows.dataType == .float32 ? nil : RowRoom(width: rows.width)
    }

    /// The row as float32, valid until the next is asked for.
    subscript(row: Int) -> UnsafePointer<Float> {
        let address = rows.address(row)
        guard let room else { return UnsafePointer(address.assumingMemoryBound(to: Float.self)) }
        kernels.pointee.widen(
            address.assumingMemoryBound(to: UInt16.self), room.floats, rows.width)
        return UnsafePointer(room.floats)
    }
}

/// Takes float32 rows: in place, or rounded from a row of its own. One for each thread.
struct RowWriter {
    private let rows: Rows
    private let room: RowRoom?
    private let kernels: UnsafePointer<kernel_table>

    /// A writer of float32 or bfloat16 rows.
    init(_ rows: Rows, _ kernels: UnsafePointer<kernel_table>) {
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
        guard let room else { return }
        kernels.pointee.narrow(
            room.floats, rows.address(row).assumingMemoryBound(to: UInt16.self), rows.width)
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
