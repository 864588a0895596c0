import Glibc

/// Writes a safetensors file whose tensors are declared first and filled in any order.
///
/// The file appears under its name with `commit()`, whole or not at all.
public final class TensorFileWriter {
    /// The final path.
    public var path: String { file.path }
    /// The tensors by place in the file.
    public let tensors: [TensorDescriptor]
    /// The bytes in front of the first tensor; behind them tensors follow without gaps.
    package let header: [UInt8]

    private let file: PartialFile
    private let offsets: [String: (offset: Int, count: Int)]
    private let byteCount: Int
    private var mapping: UnsafeMutableRawPointer?

    /// Creates the file with its header and reserves its space.
    ///
    /// Throws `SystemError`, as when the disk is too full. Traps if two tensors share a name.
    public init(
        path: String, tensors: [TensorDescriptor], metadata: [String: String] = [:]
    ) throws {
        let header = TensorFileHeader(laying: tensors, metadata: metadata)
        self.tensors = header.entries.map(\.descriptor)
        offsets = Dictionary(
            uniqueKeysWithValues: header.entries.map {
                ($0.descriptor.name, (header.dataOffset + $0.range.lowerBound, $0.range.count))
            })
        byteCount = header.dataOffset + (header.entries.last?.range.upperBound ?? 0)
        file = try PartialFile(path: path)
        try file.reserve(byteCount)
        self.header = header.encoded()
        try self.header.withUnsafeBytes { try file.write($0, at: 0) }
    }

    deinit { unmap() }

    /// The bytes of a tensor, mapped for writing, zero until written. Traps if there is no such tensor.
    ///
    /// They are valid until `commit()` or until the writer goes. Throws `SystemError`.
    public func bytes(of name: String) throws -> UnsafeMutableRawBufferPointer {
        let place = place(of: name)
        let start = try map()
        return UnsafeMutableRawBufferPointer(start: start + place.offset, count: place.count)
    }

    /// Writes `bytes` into a tensor from its byte `offset` on. Traps if they do not fit.
    ///
    /// For large tensors this is faster than filling mapped pages one fault at a time.
    public func write(
        _ bytes: UnsafeRawBufferPointer, to name: String, at offset: Int = 0
    ) throws {
        let place = place(of: name)
        precondition(offset >= 0 && bytes.count <= place.count - offset)
        try file.write(bytes, at: place.offset + offset)
    }

    /// The file as it stands, header and all, valid until `commit()`: for a digest of what will appear.
    package func contents() throws -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: try map(), count: byteCount)
    }

    /// Flushes the file to the disk and gives it its name. Throws `SystemError`.
    public func commit() throws {
        unmap()
        try file.commit()
    }

    private func place(of name: String) -> (offset: Int, count: Int) {
        guard let place = offsets[name] else {
            preconditionFailure("'\(name)' was not declared in '\(path)'")
        }
        return place
    }

    private func map() throws(SystemError) -> UnsafeMutableRawPointer {
        if let mapping { return mapping }
        guard
            let start = mmap(
                nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0),
            start != MAP_FAILED
        else { throw SystemError("map", file.partialPath) }
        mapping = start
        return start
    }

    private func unmap() {
        if let mapping { munmap(mapping, byteCount) }
        mapping = nil
    }
}

extension TensorFileWriter {
    /// Writes a whole file of tensors that lie somewhere already. Throws `SystemError`.
    public static func write(
        _ tensors: [TensorView], metadata: [String: String] = [:], to path: String
    ) throws {
        let writer = try TensorFileWriter(
            path: path, tensors: tensors.map(\.descriptor), metadata: metadata)
        for tensor in tensors {
            try writer.write(tensor.bytes, to: tensor.name)
        }
        try writer.commit()
    }
}
