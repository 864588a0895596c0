import Glibc
import Tensors

/// A checkpoint of names and shapes alone, to plan with or to test a model's structure.
///
/// Every tensor is zeros that take no memory: they are read from one shared mapping that the
/// kernel backs with its zero page.
public final class DeclaredCheckpoint: Checkpoint {
    /// What to call the checkpoint in messages.
    public let path: String
    /// The declared tensors.
    public let tensors: [TensorDescriptor]

    private let indices: [String: Int]
    private let zeros: ZeroBytes

    /// Declares tensors; throws `SystemError` if the address space for the largest is not to be had.
    /// Traps if two share a name.
    public init(path: String, tensors: [TensorDescriptor]) throws(SystemError) {
        self.path = path
        self.tensors = tensors
        indices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
        zeros = try ZeroBytes(count: tensors.map(\.byteCount).max() ?? 0, path: path)
    }

    /// Declares the tensors of one section of a JSON file `{section: {name: [extent, ...]}}`, all of
    /// one type; throws `SystemError` or `TensorFileError`.
    public convenience init(shapes path: String, section: String, dataType: DataType) throws {
        let file = try MappedFile(path: path)
        var tensors: [TensorDescriptor] = []
        try scanJSON(file, limit: Self.shapesLimit) { scanner in
            try scanner.object { scanner, key in
                guard key == section else {
                    _ = try scanner.value()
                    return
                }
                try scanner.object { scanner, name in
                    guard let shape = Shape(checking: try scanner.integers(limit: Self.rankLimit))
                    else { throw scanner.failure("an impossible shape") }
                    tensors.append(TensorDescriptor(name: name, dataType: dataType, shape: shape))
                }
            }
        }
        guard !tensors.isEmpty, Set(tensors.map(\.name)).count == tensors.count else {
            throw TensorFileError(path: path, reason: "has no section '\(section)' of shapes")
        }
        try self.init(path: path, tensors: tensors)
    }

    private static let shapesLimit = 4 << 20
    private static let rankLimit = 8

    /// Type and shape of a tensor; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? {
        indices[name].map { tensors[$0] }
    }

    /// Zeros of the declared shape; throws `TensorFileError` if no such tensor was declared.
    public func tensor(_ name: String) throws -> TensorView {
        guard let tensor = descriptor(of: name) else {
            throw TensorFileError(path: path, tensor: name, reason: "is missing")
        }
        return TensorView(
            name: name, dataType: tensor.dataType, shape: tensor.shape,
            bytes: UnsafeRawBufferPointer(rebasing: zeros.bytes[..<tensor.byteCount]),
            owner: zeros)
    }

    /// Does nothing: there are no bytes to fetch.
    public func advise(_ advice: MappedFile.Advice, _ name: String) {}

    /// Adds every name, type and shape.
    public func hash(into digest: inout CheckpointDigest) {
        for tensor in tensors {
            digest.add(tensor.name)
            digest.add("\(tensor.dataType.rawValue) \(tensor.shape)")
        }
    }
}

/// Zeros to read, backed by no memory.
private final class ZeroBytes: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    init(count: Int, path: String) throws(SystemError) {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let start = mmap(nil, max(count, 1), PROT_READ, flags, -1, 0), start != MAP_FAILED
        else { throw SystemError("make room for", path) }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), max(bytes.count, 1))
    }
}
