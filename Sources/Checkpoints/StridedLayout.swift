import Tensors

/// Where a tensor's elements lie in a file: a start, and a stride for each axis.
struct StridedLayout: Sendable {
    /// The bytes from the first to the last element.
    let range: Range<Int>
    /// Whether the elements lie one after another in row-major order.
    let isRowMajor: Bool

    private let dimensions: [Int]
    private let strides: [Int]
    private let elementSize: Int

    /// Most axes a tensor may have.
    static let rankLimit = 64

    /// A layout with strides, one for each axis, and offset in elements inside a storage's bytes; nil if
    /// it leaves the storage, a stride is negative, or elements share a place (so a copy cannot outgrow the file).
    init?(
        shape: Shape, strides: [Int], offset: Int, elementSize: Int, storage: Range<Int>
    ) {
        let capacity = storage.count / elementSize
        precondition(strides.count == shape.rank)
        guard offset >= 0, offset <= capacity,
            shape.elementCount <= capacity
        else { return nil }
        self.elementSize = elementSize
        dimensions = shape.dimensions
        self.strides = strides
        guard shape.elementCount > 0 else {
            range = storage.lowerBound..<storage.lowerBound
            isRowMajor = true
            return
        }
        var last = offset
        for (extent, stride) in zip(shape.dimensions, strides) where extent > 1 {
            let (reach, overflow1) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflow2) = last.addingReportingOverflow(reach)
            guard stride > 0, !overflow1, !overflow2, sum < capacity else { return nil }
            last = sum
        }
        guard last < capacity, Self.areDistinct(shape.dimensions, strides) else { return nil }
        range =
            storage.lowerBound + offset * elementSize..<storage.lowerBound + (last + 1)
            * elementSize
        isRowMajor =
            range.count == shape.elementCount * elementSize
            && Self.descend(shape.dimensions, strides)
    }

    /// Whether each axis steps over everything that the finer ones reach.
    private static func areDistinct(_ dimensions: [Int], _ strides: [Int]) -> Bool {
        var reach = 0
        let axes = zip(dimensions, strides).filter { $0.0 > 1 }.sorted { $0.1 < $1.1 }
        for (extent, stride) in axes {
            guard stride > reach else { return false }
            reach += (extent - 1) * stride
        }
        return true
    }

    /// Whether outer axes have the larger strides.
    private static func descend(_ dimensions: [Int], _ strides: [Int]) -> Bool {
        let used = zip(dimensions, strides).filter { $0.0 > 1 }.map(\.1)
        return zip(used, used.dropFirst()).allSatisfy { $0 > $1 }
    }

    /// The elements, given `range`'s bytes, one after another in row-major order.
    func rowMajorCopy(of bytes: UnsafeRawBufferPointer) -> HeapBytes {
        let copy = HeapBytes(count: dimensions.reduce(elementSize, *))
        var place = copy.start
        gather(bytes.baseAddress!, axis: 0, &place)
        return copy
    }

    private func gather(
        _ source: UnsafeRawPointer, axis: Int, _ place: inout UnsafeMutableRawPointer
    ) {
        guard axis < dimensions.count else {
            place.copyMemory(from: source, byteCount: elementSize)
            place += elementSize
            return
        }
        for index in 0..<dimensions[axis] {
            gather(source + index * strides[axis] * elementSize, axis: axis + 1, &place)
        }
    }
}
