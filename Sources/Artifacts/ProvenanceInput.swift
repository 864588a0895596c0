import Tensors

extension Provenance {
    /// One of the things that an artifact was made from: what it was for, its name and its digest.
    public struct Input: Codable, Hashable, Sendable {
        /// What it was used as, in the options' words: "text", "weights".
        public var role: String
        /// The last component of its path; for a stream, with `stream.json`.
        public var name: String
        /// SHA-256 of the file's bytes, in hexadecimal digits.
        public var sha256: String?
        /// For weights: SHA-256 over headers and sizes, see `CheckpointDigest`.
        public var headersSHA256: String?
        /// For a stream that was followed, when it has ended: SHA-256 over its blocks, see `StreamEnd`.
        public var blocksSHA256: String?
        /// Its kind, if it is an artifact.
        public var kind: String?
        /// How it was made itself, as far as it says.
        public var provenance: Provenance?

        private enum CodingKeys: String, CodingKey {
            case role, name, sha256, kind, provenance
            case headersSHA256 = "headers_sha256"
            case blocksSHA256 = "blocks_sha256"
        }

        /// An input of which something is known.
        public init(
            role: String, name: String, sha256: String? = nil, headersSHA256: String? = nil,
            blocksSHA256: String? = nil, kind: String? = nil, provenance: Provenance? = nil
        ) {
            self.role = role
            self.name = name
            self.sha256 = sha256
            self.headersSHA256 = headersSHA256
            self.blocksSHA256 = blocksSHA256
            self.kind = kind
            self.provenance = provenance
        }

        /// The digests, which tell this content from any other.
        var digest: [String?] { [sha256, headersSHA256, blocksSHA256] }

        /// Name and the beginning of the digest, for a line that people read.
        public var summary: String {
            let digits = 12
            guard let digest = digest.compactMap({ $0 }).first else {
                return "\(name) (unknown digest)"
            }
            return "\(name) \(digest.prefix(digits))"
        }
    }
}

extension Provenance.Input {
    /// A file that is read whole for its digest; if it is an artifact, its own provenance comes along.
    ///
    /// Throws `SystemError` if it cannot be read.
    public static func file(_ path: String, as role: String) throws -> Self {
        let header = (try? TensorFile(path: path)).map(ArtifactHeader.init)
        return Self(
            role: role, name: lastComponent(of: path), sha256: try FileDigest.sha256(of: path),
            kind: header?.kind, provenance: header?.provenance)
    }

    /// Weights, which are identified without being read: `digest` is a `CheckpointDigest`'s.
    public static func weights(_ path: String, digest: String, as role: String = "weights") -> Self
    {
        Self(role: role, name: lastComponent(of: path), headersSHA256: digest)
    }

    /// A stream, complete or still growing, identified by its `stream.json`: that names everything
    /// that shapes its blocks, and is there from the beginning.
    ///
    /// Throws `SystemError` or `ArtifactError` if it cannot be read.
    public static func stream(_ path: String, as role: String) throws -> Self {
        let folder = StreamFolder(path: path)
        let description = try folder.description()
        return Self(
            role: role,
            name: "\(lastComponent(of: path))/\(StreamFolder.descriptionName)",
            sha256: try FileDigest.sha256(of: folder.path(StreamFolder.descriptionName)),
            kind: description.kind.rawValue, provenance: description.provenance)
    }

    /// The name of a file or folder without where it lies.
    static func lastComponent(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
