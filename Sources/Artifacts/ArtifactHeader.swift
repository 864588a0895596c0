import Tensors

/// What an artifact's metadata says of it: kind, version of the format, and where it comes from.
public struct ArtifactHeader: Sendable {
    /// The version of the formats that is written, and the newest that is read.
    public static let version = 1

    /// The `kind`, which may be one that this program does not know; nil if the file has none.
    public let kind: String?
    /// The version of the format; nil if the file, made elsewhere, does not say.
    public let version: String?
    /// How the file was made, as far as it says.
    public let provenance: Provenance?

    /// Reads a file's metadata as it stands, without judging it.
    public init(of file: TensorFile) {
        kind = file.metadata["kind"]
        version = file.metadata["version"]
        provenance = Provenance(metadata: file.metadata)
    }

    /// Throws `TensorFileError` unless the file is of this kind and of a version that can be read.
    package static func check(_ file: TensorFile, is kind: ArtifactKind) throws(TensorFileError) {
        let header = ArtifactHeader(of: file)
        guard let actual = header.kind else {
            throw TensorFileError(
                path: file.path, reason: "has no 'kind' in its metadata, expected '\(kind)'")
        }
        guard actual == kind.rawValue else {
            throw TensorFileError(
                path: file.path, reason: "is a '\(printable(actual))' file, expected '\(kind)'")
        }
        if let reason = refusal(ofVersion: header.version) {
            throw TensorFileError(path: file.path, reason: reason)
        }
    }

    /// Why a version cannot be read; nil if it can, or is unknown.
    static func refusal(ofVersion text: String?) -> String? {
        guard let text else { return nil }
        guard let number = Int(text), number > 0 else {
            return "has the malformed version '\(printable(text))'"
        }
        guard number <= version else {
            return "has version \(number) of its format, newer than \(version), the newest known"
        }
        return nil
    }

    /// The metadata of a file of this kind: what every artifact has, and what its kind adds.
    static func metadata(
        of kind: ArtifactKind, provenance: Provenance?, adding extra: [String: String] = [:]
    ) throws -> [String: String] {
        var metadata = extra
        metadata["kind"] = kind.rawValue
        metadata["version"] = String(version)
        if let provenance { metadata.merge(try provenance.metadata()) { $1 } }
        return metadata
    }
}
