import Tensors

/// A handle on elements in a device's memory. Copying the handle copies no elements; the memory goes
/// back to the device when the last handle on it goes.
///
/// The innermost axis is contiguous; the others may be strided, as in a range of columns.
public struct Tensor {
    /// The memory, owned by the device that allocated it.
    public let storage: any Storage
    /// Elements in front of the first one.
    public let offset: Int
    /// The extents.
    public let shape: Shape
    /// Elements from one index of an axis to the next, for each axis; 1 for the innermost.
    public let strides: [Int]
    /// The type of the elements.
    public let dataType: DataType

    /// A handle on a whole, contiguous tensor.
    public init(storage: any Storage, shape: Shape, dataType: DataType) {
        self.init(
            storage: storage, offset: 0, shape: shape, strides: Self.contiguousStrides(of: shape),
            dataType: dataType)
    }

    /// A handle on a contiguous tensor that begins `offset` elements behind the start of its memory.
    public init(storage: any Storage, offset: Int, shape: Shape, dataType: DataType) {
        self.init(
            storage: storage, offset: offset, shape: shape,
            strides: Self.contiguousStrides(of: shape), dataType: dataType)
    }

    private init(
        storage: any Storage, offset: Int, shape: Shape, strides: [Int], dataType: DataType
    ) {
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides
        self.dataType = dataType
    }

    /// The same elements' places in other memory.
    func onStorage(_ storage: any Storage) -> Tensor {
        Tensor(
            storage: storage, offset: offset, shape: shape, strides: strides, dataType: dataType)
    }

    /// Bytes of all elements.
    public var byteCount: Int { shape.elementCount * dataType.size }

    /// Whether the elements follow one another without gaps.
    public var isContiguous: Bool {
        var expected = 1
        for axis in shape.dimensions.indices.reversed() where shape[axis] != 1 {
            guard strides[axis] == expected else { return false }
            expected *= shape[axis]
        }
        return true
    }

    private static func contiguousStrides(of shape: Shape) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.rank)
        for axis in shape.dimensions.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        }
        return strides
    }
}

/// A device's memory for one tensor; released when it is dropped.
public protocol Storage: AnyObject {
    /// Bytes allocated.
    var byteCount: Int { get }
}

extension Tensor {
    /// The same elements in another shape. Traps unless contiguous and of as many elements.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(isContiguous && shape.elementCount == self.shape.elementCount)
        precondition(!hasScaledRows || shape[0] == self.shape[0])
        return Tensor(
            storage: storage, offset: offset, shape: shape,
            strides: Self.contiguousStrides(of: shape), dataType: dataType)
    }

    /// A range of the outermost axis. Traps if it is out of bounds.
    public func rows(_ range: Range<Int>) -> Tensor {
        slice(axis: 0, range)
    }

    /// A range of the innermost axis. Traps if it is out of bounds.
    public func columns(_ range: Range<Int>) -> Tensor {
        slice(axis: shape.rank - 1, range)
    }

    /// One index of the outermost axis, without that axis. Traps if it is out of bounds.
    public subscript(index: Int) -> Tensor {
        let row = rows(index..<index + 1)
        return Tensor(
            storage: storage, offset: row.offset, shape: Shape(Array(shape.dimensions.dropFirst())),
            strides: Array(strides.dropFirst()), dataType: dataType)
    }

    /// The innermost axis split in two: [..., n] as [..., count, n / count], without moving anything.
    public func splittingColumns(into count: Int) -> Tensor {
        let width = shape[-1]
        precondition(width % count == 0)
        return Tensor(
            storage: storage, offset: offset,
            shape: Shape(shape.dimensions.dropLast() + [count, width / count]),
            strides: strides.dropLast() + [width / count, 1], dataType: dataType)
    }

    /// The two innermost axes as one. Traps unless they are contiguous with one another.
    public func joiningColumns() -> Tensor {
        let rank = shape.rank
        precondition(rank >= 2 && strides[rank - 2] == shape[-1])
        return Tensor(
            storage: storage, offset: offset,
            shape: Shape(shape.dimensions.dropLast(2) + [shape[-2] * shape[-1]]),
            strides: strides.dropLast(2) + [1], dataType: dataType)
    }

    private func slice(axis: Int, _ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[axis])
        precondition(
            !isTiled || axis == 0 && range.lowerBound % Self.tileRows == 0, "a part of a tile")
        var extents = shape.dimensions
        extents[axis] = range.count
        if axis == 0, hasScaledRows, let scales {
            return numbers.slice(axis: axis, range).scaled(byRows: scales.rows(range))
        }
        return Tensor(
            storage: storage, offset: offset + range.lowerBound * strides[axis],
            shape: Shape(extents), strides: strides, dataType: dataType)
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String { "\(dataType)\(shape)" + (isTiled ? " in tiles" : "") }
}
