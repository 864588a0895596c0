import Tensors

/// A model's published weights: tensors by name, left where they lie until one is asked for.
public protocol Checkpoint: Sendable {
    /// The path as it was given, for messages.
    var path: String { get }
    /// All tensors, in the order of the file.
    var tensors: [TensorDescriptor] { get }
    /// Type and shape of a tensor; nil if there is none of this name.
    func descriptor(of name: String) -> TensorDescriptor?
    /// The tensor of this name, in place where that is possible; throws if there is none.
    func tensor(_ name: String) throws -> TensorView
    /// Tells the kernel how a tensor's bytes will be used next. A hint: may do nothing.
    func advise(_ advice: MappedFile.Advice, _ name: String)
    /// Adds what identifies these weights (headers and sizes, not the weights) to a digest.
    func hash(into digest: inout CheckpointDigest)
}

extension Checkpoint {
    /// Identifies the weights by their headers and sizes: SHA-256 in hexadecimal.
    public var digest: String {
        var digest = CheckpointDigest()
        hash(into: &digest)
        return digest.hexadecimal()
    }
}

/// Opens one file, whatever it is: an index of shards, a safetensors file, or a PyTorch archive.
///
/// Throws `SystemError` if it cannot be read, `TensorFileError` if it is malformed.
public func openCheckpoint(at path: String) throws -> any Checkpoint {
    if path.hasSuffix(".index.json") { return try ShardedCheckpoint(index: path) }
    let archiveEndings = [".pth", ".pt", ".bin"]
    if archiveEndings.contains(where: path.hasSuffix) { return try TorchArchive(path: path) }
    return try TensorFile(path: path)
}

extension TensorFile: Checkpoint {
    /// Adds the header and the file's size.
    public func hash(into digest: inout CheckpointDigest) {
        digest.add(size: byteCount)
        digest.add(headerBytes)
    }
}
