import Compute
import Tensors

/// Elements in host memory, row-major: a block of the pool, or bytes that something else keeps.
final class HostMemory: Storage {
    /// The first element. Memory that was mapped from a file must not be written.
    let address: UnsafeMutableRawPointer
    let byteCount: Int
    private let owner: AnyObject

    /// Memory of a pool.
    init(_ block: MemoryBlock, byteCount: Int) {
        address = block.address
        self.byteCount = byteCount
        owner = block
    }

    /// The bytes of a view, in place. Traps if they are not aligned.
    init(_ view: TensorView) {
        precondition(view.isAligned)
        // A tensor without elements may have no address; nothing is read there.
        address =
            view.bytes.baseAddress.map(UnsafeMutableRawPointer.init(mutating:))
            ?? UnsafeMutableRawPointer(bitPattern: 64)!
        byteCount = view.bytes.count
        owner = view.owner
    }
}

extension Tensor {
    /// The first element. Traps if the tensor is another device's, or a weight packed for a product.
    var address: UnsafeMutableRawPointer {
        guard let memory = numbers.storage as? HostMemory else {
            preconditionFailure("\(self) does not lie row-major in the CPU's memory")
        }
        return memory.address + offset * dataType.size
    }

    /// The elements as float32. Traps on another type, or if they are not contiguous.
    var floatAddress: UnsafeMutablePointer<Float> {
        precondition(dataType == .float32 && isContiguous, "\(self) must be contiguous float32")
        return address.assumingMemoryBound(to: Float.self)
    }

    /// Whether it is float32 or bfloat16, the types that operations take.
    var isNumeric: Bool { dataType == .float32 || dataType == .bfloat16 }

    /// Whether rows of it can be read and written as float32: numeric, or of 8 bits with scales.
    var hasFloatRows: Bool {
        isNumeric || scales != nil && dataType.isNarrow
    }
}

/// A tensor as rows along its innermost axis, wherever they lie.
struct Rows {
    /// Number of rows and elements of each.
    let count: Int
    let width: Int
    let dataType: DataType
    /// The first scale, where there are scales.
    private let scales: UnsafeMutablePointer<Float>?
    /// Whether each index of the outermost axis has a scale of its own.
    let hasScaledRows: Bool
    /// Rows that share a scale.
    let rowsOfScale: Int
    private let base: UnsafeMutableRawPointer
    /// Bytes from one row to the next, if that is one number for all.
    private let step: Int?
    /// Extents and strides in bytes of the outer axes, outermost first.
    private let axes: [(extent: Int, stride: Int)]

    /// The rows of a tensor; a scalar has one of one element.
    init(_ tensor: Tensor) {
        let rank = tensor.shape.rank
        width = rank == 0 ? 1 : tensor.shape[-1]
        dataType = tensor.dataType
        base = tensor.address
        scales = tensor.scales?.floatAddress
        var axes: [(extent: Int, stride: Int)] = []
        for axis in 0..<max(0, rank - 1) where tensor.shape[axis] != 1 {
            let stride = tensor.strides[axis] * tensor.dataType.size
            if let last = axes.last, last.stride == stride * tensor.shape[axis] {
                axes[axes.count - 1] = (last.extent * tensor.shape[axis], stride)
            } else {
                axes.append((tensor.shape[axis], stride))
            }
        }
        self.axes = axes
        count = axes.reduce(1) { $0 * $1.extent }
        step = axes.isEmpty ? 0 : axes.count == 1 ? axes[0].stride : nil
        rowsOfScale = tensor.hasScaledRows ? max(1, count / max(1, tensor.shape[0])) : .max
        hasScaledRows = tensor.hasScaledRows
    }

    /// The scale of a row. Traps where there are no scales.
    func scale(_ row: Int) -> UnsafeMutablePointer<Float> {
        guard let scales else { preconditionFailure("\(dataType) without scales") }
        return scales + row / rowsOfScale
    }

    /// The first element of a row.
    func address(_ row: Int) -> UnsafeMutableRawPointer {
        if let step { return base + row * step }
        var rest = row
        var offset = 0
        for axis in axes.reversed() {
            offset += rest % axis.extent * axis.stride
            rest /= axis.extent
        }
        return base + offset
    }
}
