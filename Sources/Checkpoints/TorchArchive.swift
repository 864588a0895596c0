import Tensors

/// Weights as `torch.save` writes them since PyTorch 1.6: a zip of a pickle and raw storages.
///
/// The layout: `<stem>/data.pkl` describes a dict of tensors, `<stem>/data/<key>` is a storage.
/// Source: https://github.com/pytorch/pytorch/blob/v2.4.0/torch/serialization.py#L820-L880
public final class TorchArchive: Checkpoint {
    /// The path as it was given.
    public var path: String { file.path }
    /// The tensors in the order of the dict.
    public let tensors: [TensorDescriptor]

    private let file: MappedFile
    private let zip: ZipDirectory
    private let pickle: Range<Int>
    private let layouts: [StridedLayout]
    private let indices: [String: Int]

    /// Maps an archive and reads its pickle; every tensor is then inside its storage.
    ///
    /// Throws `SystemError` if the file cannot be mapped, `TensorFileError` if it is malformed or
    /// its pickle describes anything but a flat dict of tensors.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        try Self.checkBeginning(of: file)
        zip = try ZipDirectory(of: file.bytes, path: path)
        let (stem, pickle) = try Self.findPickle(in: zip, of: file)
        self.pickle = pickle.range
        let resolver = TensorResolver(file: file, zip: zip, stem: stem)
        let dictionary = try Self.readDictionary(file, pickle)
        let resolved = try dictionary.keys.map { try resolver.resolve($0, dictionary[$0]) }
        tensors = resolved.map(\.0)
        layouts = resolved.map(\.1)
        indices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    /// Tells older formats apart from damaged files.
    private static func checkBeginning(of file: MappedFile) throws(TensorFileError) {
        guard file.bytes.first == PickleOpcode.proto.rawValue else { return }
        throw TensorFileError(
            path: file.path,
            reason: "a bare pickle, as PyTorch wrote before 1.6; only its zip format is read")
    }

    /// The archive's stem and its pickle, intact.
    private static func findPickle(
        in zip: ZipDirectory, of file: MappedFile
    ) throws(TensorFileError) -> (stem: String, ZipDirectory.Entry) {
        let ending = "/data.pkl"
        let found = zip.entries.values.filter {
            $0.name.hasSuffix(ending) && !$0.name.dropLast(ending.count).contains("/")
        }
        guard found.count == 1, let pickle = found.first else {
            throw TensorFileError(
                path: file.path, reason: "\(found.count) entries are 'NAME/data.pkl', expected one")
        }
        let stem = String(pickle.name.dropLast(ending.count))
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[pickle.range])
        guard bytes.count <= Unpickler.lengthLimit else {
            throw TensorFileError(
                path: file.path,
                reason: "the pickle has \(bytes.count) bytes, \(Unpickler.lengthLimit) are read")
        }
        guard crc32(bytes) == pickle.checksum else {
            throw TensorFileError(
                path: file.path, reason: "'\(printable(pickle.name))' does not fit its checksum")
        }
        if let order = zip.entries[stem + "/byteorder"],
            !file.bytes[order.range].elementsEqual("little".utf8)
        {
            throw TensorFileError(path: file.path, reason: "its byte order is not little-endian")
        }
        return (stem, pickle)
    }

    private static func readDictionary(
        _ file: MappedFile, _ pickle: ZipDirectory.Entry
    ) throws(TensorFileError) -> PickleDictionary {
        let value: PickleValue
        do {
            value = try Unpickler.value(
                of: UnsafeRawBufferPointer(rebasing: file.bytes[pickle.range]))
        } catch {
            throw TensorFileError(
                path: file.path,
                reason: "'\(printable(pickle.name))' byte \(error.offset): \(error.reason)")
        }
        guard case .dictionary(let dictionary) = value else {
            throw TensorFileError(path: file.path, reason: "holds \(value.kind), expected a dict")
        }
        return dictionary
    }

    /// Type and shape of a tensor; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? {
        indices[name].map { tensors[$0] }
    }

    /// The tensor of this name: in place if its elements are in row-major order, else a copy.
    /// Throws `TensorFileError` if there is none.
    public func tensor(_ name: String) throws -> TensorView {
        guard let index = indices[name] else {
            throw TensorFileError(path: path, tensor: name, reason: "is missing")
        }
        let layout = layouts[index]
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[layout.range])
        guard !layout.isRowMajor else {
            return TensorView(
                name: name, dataType: tensors[index].dataType, shape: tensors[index].shape,
                bytes: bytes, owner: file)
        }
        let copy = layout.rowMajorCopy(of: bytes)
        return TensorView(
            name: name, dataType: tensors[index].dataType, shape: tensors[index].shape,
            bytes: UnsafeRawBufferPointer(start: copy.start, count: tensors[index].byteCount),
            owner: copy)
    }

    /// Tells the kernel how a tensor's bytes will be used next.
    public func advise(_ advice: MappedFile.Advice, _ name: String) {
        if let index = indices[name] { file.advise(advice, layouts[index].range) }
    }

    /// Adds the pickle, the central directory and the file's size.
    public func hash(into digest: inout CheckpointDigest) {
        digest.add(size: file.bytes.count)
        digest.add(UnsafeRawBufferPointer(rebasing: file.bytes[pickle]))
        digest.add(UnsafeRawBufferPointer(rebasing: file.bytes[zip.directoryRange]))
    }
}

/// Finds the bytes of pickled tensors.
private struct TensorResolver {
    let file: MappedFile
    let zip: ZipDirectory
    let stem: String

    /// A tensor's descriptor and its elements' place in the file; throws if they are not inside it.
    func resolve(
        _ name: String, _ value: PickleValue?
    ) throws(TensorFileError) -> (TensorDescriptor, StridedLayout) {
        func fail(_ reason: String) -> TensorFileError {
            TensorFileError(path: file.path, tensor: name, reason: reason)
        }
        guard case .tensor(let tensor)? = value else {
            throw fail("is \(value?.kind ?? "missing"); only a flat dict of tensors is read")
        }
        guard let shape = Shape(checking: tensor.sizes),
            tensor.sizes.count <= StridedLayout.rankLimit,
            tensor.strides.count == tensor.sizes.count
        else { throw fail("has an impossible shape") }
        let storage = try storageRange(of: tensor.storage, fail)
        guard
            let layout = StridedLayout(
                shape: shape, strides: tensor.strides, offset: tensor.offset,
                elementSize: tensor.storage.dataType.size, storage: storage)
        else {
            throw fail(
                "\(shape) with strides \(tensor.strides) leaves its storage, or uses a place twice")
        }
        return (
            TensorDescriptor(name: name, dataType: tensor.storage.dataType, shape: shape), layout
        )
    }

    private func storageRange(
        of storage: PickledStorage, _ fail: (String) -> TensorFileError
    ) throws(TensorFileError) -> Range<Int> {
        guard let entry = zip.entries["\(stem)/data/\(storage.key)"] else {
            throw fail("lacks its storage 'data/\(printable(storage.key))'")
        }
        let (size, overflow) = storage.count.multipliedReportingOverflow(by: storage.dataType.size)
        guard !overflow, size == entry.range.count else {
            throw fail(
                "needs \(storage.count) x \(storage.dataType) in 'data/\(printable(storage.key))', which has \(entry.range.count) bytes"
            )
        }
        return entry.range
    }
}
