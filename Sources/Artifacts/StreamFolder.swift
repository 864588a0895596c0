import Glibc
import Tensors

/// The files of a stream's folder: their names, and what they say, without waiting for any.
public struct StreamFolder: Hashable, Sendable {
    /// The folder as it was given.
    public let path: String

    /// A folder that may or may not be there.
    public init(path: String) {
        self.path = path
    }

    /// The description, the first file of a stream.
    static let descriptionName = "stream.json"
    /// What the decoder must see before block 0.
    static let leadName = "lead.safetensors"
    /// The last file of a stream.
    static let endName = "end.json"
    /// How far it was consumed.
    static let watermarkName = "consumed.json"
    /// The file that living writers and readers hold locks on.
    static let lockName = ".lock"

    /// The path of a file in the folder.
    public func path(_ name: String) -> String {
        path.hasSuffix("/") ? path + name : "\(path)/\(name)"
    }

    /// `000012.safetensors`
    public static func name(ofBlock index: Int) -> String { "\(digits(index)).safetensors" }

    /// `part-000100-000200`, in front of a suffix.
    static func name(ofPart range: Range<Int>) -> String {
        "part-\(digits(range.lowerBound))-\(digits(range.upperBound))"
    }

    /// `failed.json`, or `failed-000100-000200.json` for a range.
    static func name(ofFailure range: Range<Int>?) -> String {
        guard let range else { return "failed.json" }
        return "failed-\(digits(range.lowerBound))-\(digits(range.upperBound)).json"
    }

    /// A block's number, of six digits or more.
    private static func digits(_ index: Int) -> String {
        let text = String(index)
        let width = 6
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The index in the name of a block's file; nil if it is no such name.
    static func index(fromName name: String) -> Int? {
        guard let stem = name.split(separator: ".", maxSplits: 1).first, let index = Int(stem),
            index >= 0, Self.name(ofBlock: index) == name
        else { return nil }
        return index
    }
}

extension StreamFolder {
    /// The names of all files, sorted. Throws `SystemError` if the folder cannot be read.
    func names() throws(SystemError) -> [String] {
        guard let folder = opendir(path) else { throw SystemError("open", path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The indices of the blocks that are there, sorted. Throws `SystemError`.
    public func blocks() throws -> [Int] {
        try names().compactMap(Self.index(fromName:)).sorted()
    }

    /// The description; throws `ArtifactError` if there is none or it makes no sense.
    public func description() throws -> StreamDescription {
        guard let description = try descriptionIfThere() else {
            throw ArtifactError("read", path, "there is no \(Self.descriptionName) in it")
        }
        return description
    }

    /// The description; nil if there is none yet.
    func descriptionIfThere() throws -> StreamDescription? {
        let file = path(Self.descriptionName)
        do {
            return try CanonicalJSON.read(StreamDescription.self, from: file)
        } catch let refusal as Refusal {
            throw ArtifactError("read", file, refusal.reason)
        }
    }

    /// What the finished stream holds; nil if it is not finished.
    public func end() throws -> StreamEnd? {
        guard let end = try CanonicalJSON.read(StreamEnd.self, from: path(Self.endName)) else {
            return nil
        }
        guard (0..<StreamLock.blockLimit).contains(end.blocks) else {
            throw ArtifactError("read", path(Self.endName), "'blocks' is \(end.blocks)")
        }
        return end
    }

    /// What writers of ranges have left, by range.
    public func parts() throws -> [StreamPart] {
        try documents("part-", StreamPart.self).filter { $0.range != nil }
            .sorted { ($0.first, $0.end) < ($1.first, $1.end) }
    }

    /// Blocks before this one may have been consumed.
    public func consumedBefore() throws -> Int {
        let watermark = try CanonicalJSON.read(
            StreamWatermark.self, from: path(Self.watermarkName))
        return max(0, watermark?.before ?? 0)
    }

    /// Why writers of these blocks gave up, one line each.
    func failures(in range: Range<Int>) throws -> [String] {
        try documents("failed", StreamFailure.self)
            .filter { $0.first < range.upperBound && range.lowerBound < $0.end }
            .map { printable($0.error) }
    }

    /// The documents whose names begin so and end in `.json`.
    private func documents<Value: Decodable>(
        _ prefix: String, _ type: Value.Type
    ) throws -> [Value] {
        try names().filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }
            .compactMap { try CanonicalJSON.read(type, from: path($0)) }
    }

    /// What parts amount to where no `end.json` was written, as when they were copied together: an
    /// end if they cover every block.
    func endOfParts(blocks: Int?) throws -> StreamEnd? {
        guard let blocks else { return nil }
        let parts = try parts()
        guard Self.cover(parts, blocks) else { return nil }
        let description = try description()
        return StreamEnd(
            blocks: blocks, frames: description.frames(in: 0..<blocks),
            sha256: try BlockDigests(of: self).overall(0..<blocks),
            inputs: try inputs(of: parts))
    }

    /// Whether the ranges of parts leave no block out.
    private static func cover(_ parts: [StreamPart], _ blocks: Int) -> Bool {
        guard !parts.isEmpty else { return false }
        var reached = 0
        for part in parts where part.first <= reached { reached = max(reached, part.end) }
        return reached >= blocks
    }

    /// The followed inputs of all parts; throws `ArtifactError` if two parts saw different ones.
    private func inputs(of parts: [StreamPart]) throws -> [Provenance.Input]? {
        var merged: [Provenance.Input] = []
        for input in parts.flatMap({ $0.inputs ?? [] }) where !merged.contains(input) {
            guard !merged.contains(where: { $0.role == input.role }) else {
                throw ArtifactError(
                    "join", path, "its parts were made from different '\(input.role)'")
            }
            merged.append(input)
        }
        return merged.isEmpty ? nil : merged
    }
}

extension StreamFolder {
    /// Opens a block if its file is there, and checks it against the description.
    ///
    /// Throws `TensorFileError` if it is damaged or not what the description says.
    func blockIfThere(_ index: Int, like description: StreamDescription) throws -> TensorFile? {
        guard let file = try openIfThere(Self.name(ofBlock: index)) else { return nil }
        try ArtifactHeader.check(file, is: description.kind)
        if let text = file.metadata["index"], text != String(index) {
            throw TensorFileError(
                path: file.path, reason: "is block \(printable(text)) of a stream, not \(index)")
        }
        try Self.check(file, has: description.tensors(ofBlock: index))
        return file
    }

    /// Opens the lead if its file is there, and checks it against the description.
    func leadIfThere(like description: StreamDescription) throws -> TensorFile? {
        guard let file = try openIfThere(Self.leadName) else { return nil }
        try ArtifactHeader.check(file, is: description.kind)
        try Self.check(file, has: description.leadTensors)
        return file
    }

    private func openIfThere(_ name: String) throws -> TensorFile? {
        do {
            return try TensorFile(path: path(name))
        } catch let error as SystemError where error.code == ENOENT {
            return nil
        }
    }

    private static func check(
        _ file: TensorFile, has tensors: [TensorDescriptor]
    ) throws(TensorFileError) {
        for tensor in tensors {
            _ = try file.tensor(
                tensor.name, shape: tensor.shape.dimensions, types: [tensor.dataType])
        }
    }
}
