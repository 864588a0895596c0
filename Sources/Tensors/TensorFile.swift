/// A safetensors file opened for reading: its header in memory, its tensors mapped.
public final class TensorFile: Sendable {
    /// The path as it was given.
    public var path: String { file.path }
    /// The header's free strings.
    public let metadata: [String: String]
    /// The tensors by place in the file.
    public let tensors: [TensorDescriptor]

    private let file: MappedFile
    private let headerLength: Int
    private let ranges: [Range<Int>]
    private let indices: [String: Int]

    /// Maps a file and validates its header completely, so that every view is inside the file.
    ///
    /// Throws `SystemError` if the file cannot be mapped, `TensorFileError` if it is malformed.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        let header = try TensorFileHeader(of: file.bytes, path: path)
        metadata = header.metadata
        headerLength = header.dataOffset
        tensors = header.entries.map(\.descriptor)
        ranges = header.entries.map {
            $0.range.lowerBound + header.dataOffset..<$0.range.upperBound + header.dataOffset
        }
        indices = Dictionary(
            uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    /// Bytes of the whole file.
    public var byteCount: Int { file.bytes.count }

    /// The length prefix and the header as they stand in the file.
    package var headerBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[..<headerLength])
    }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool { indices[name] != nil }

    /// What the header says of a tensor; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? {
        indices[name].map { tensors[$0] }
    }

    /// The tensor of this name, in place; throws `TensorFileError` if there is none.
    public func tensor(_ name: String) throws(TensorFileError) -> TensorView {
        guard let index = indices[name] else {
            throw TensorFileError(path: path, tensor: name, reason: "is missing")
        }
        return view(at: index)
    }

    /// The tensor of this name, in place, if it has this shape and one of these types; throws
    /// `TensorFileError` otherwise. A negative extent accepts any number.
    public func tensor(
        _ name: String, shape: [Int], types: Set<DataType>
    ) throws(TensorFileError) -> TensorView {
        let tensor = try tensor(name)
        let fits =
            tensor.shape.rank == shape.count
            && zip(tensor.shape.dimensions, shape).allSatisfy { $1 < 0 || $0 == $1 }
        guard fits else {
            let wanted = shape.map { $0 < 0 ? "any" : String($0) }.joined(separator: ", ")
            throw TensorFileError(
                path: path, tensor: name,
                reason: "has the shape \(tensor.shape), expected [\(wanted)]")
        }
        guard types.contains(tensor.dataType) else {
            let wanted = types.map(\.description).sorted().joined(separator: " or ")
            throw TensorFileError(
                path: path, tensor: name, reason: "is \(tensor.dataType), expected \(wanted)")
        }
        return tensor
    }

    /// All tensors by place in the file.
    public var views: [TensorView] { tensors.indices.map(view(at:)) }

    /// Tells the kernel how a tensor's bytes will be used next.
    public func advise(_ advice: MappedFile.Advice, _ name: String) {
        if let index = indices[name] { file.advise(advice, ranges[index]) }
    }

    private func view(at index: Int) -> TensorView {
        TensorView(
            name: tensors[index].name, dataType: tensors[index].dataType,
            shape: tensors[index].shape,
            bytes: UnsafeRawBufferPointer(rebasing: file.bytes[ranges[index]]), owner: file)
    }
}
