/// A tensor's elements where they already lie, in row-major order: part of a mapped file, or memory
/// that something else owns. Copying a view copies no elements.
public struct TensorView: @unchecked Sendable {
    /// The name in its file.
    public let name: String
    /// The type of the elements.
    public let dataType: DataType
    /// The extents.
    public let shape: Shape
    /// The elements' bytes, little-endian, `shape.elementCount * dataType.size` of them. They are
    /// valid while the view lives and, in files of other writers, need not be aligned.
    public let bytes: UnsafeRawBufferPointer
    /// What keeps `bytes` valid.
    public let owner: AnyObject

    /// A view of bytes that `owner` keeps alive; traps if their number does not fit the shape.
    public init(
        name: String, dataType: DataType, shape: Shape, bytes: UnsafeRawBufferPointer,
        owner: AnyObject
    ) {
        precondition(bytes.count == shape.elementCount * dataType.size)
        self.name = name
        self.dataType = dataType
        self.shape = shape
        self.bytes = bytes
        self.owner = owner
    }

    /// Name, type and shape.
    public var descriptor: TensorDescriptor {
        TensorDescriptor(name: name, dataType: dataType, shape: shape)
    }

    /// Whether typed pointers may be made of `bytes`.
    public var isAligned: Bool {
        UInt(bitPattern: bytes.baseAddress) % UInt(dataType.size) == 0
    }

    /// The same elements in another shape. Traps unless there are as many.
    public func reshaped(_ shape: Shape) -> TensorView {
        TensorView(name: name, dataType: dataType, shape: shape, bytes: bytes, owner: owner)
    }

    /// Calls `body` with the elements as `Element`s, in place where they are aligned, else copied.
    ///
    /// Traps if `Element` has another size than the data type.
    public func withElements<Element: BitwiseCopyable, Result, Failure: Error>(
        as type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(MemoryLayout<Element>.size == dataType.size)
        if isAligned {
            return try body(bytes.bindMemory(to: Element.self))
        }
        let copy = UnsafeMutableBufferPointer<Element>.allocate(capacity: shape.elementCount)
        defer { copy.deallocate() }
        UnsafeMutableRawBufferPointer(copy).copyMemory(from: bytes)
        return try body(UnsafeBufferPointer(copy))
    }
}

extension TensorView {
    /// Tells the kernel that the bytes are not read again, if they are part of a mapped file.
    public func releasePages() {
        guard let file = owner as? MappedFile, let start = file.bytes.baseAddress,
            let first = bytes.baseAddress
        else { return }
        let lower = first - start
        file.advise(.dontNeed, lower..<lower + bytes.count)
    }
}

extension [TensorView] {
    /// The shape of the views' elements behind one another along the outermost axis. Traps if there are none, or if the
    /// other axes differ.
    public var stackedShape: Shape {
        precondition(!isEmpty)
        let inner = self[0].shape.dimensions.dropFirst()
        precondition(allSatisfy { $0.shape.dimensions.dropFirst() == inner })
        guard self[0].shape.rank > 0 else { return Shape([]) }
        return Shape([reduce(0) { $0 + $1.shape[0] }] + inner)
    }
}

/// What a file's header says of a tensor: name, type and shape.
public struct TensorDescriptor: Hashable, Sendable {
    /// The name in its file.
    public let name: String
    /// The type of the elements.
    public let dataType: DataType
    /// The extents.
    public let shape: Shape

    /// A descriptor of a tensor that exists or shall be written.
    public init(name: String, dataType: DataType, shape: Shape) {
        self.name = name
        self.dataType = dataType
        self.shape = shape
    }

    /// Bytes of all elements.
    public var byteCount: Int { shape.elementCount * dataType.size }
}
