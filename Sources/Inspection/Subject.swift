import Artifacts
import Checkpoints
import Glibc
import Tensors

/// What a path leads to: one thing to inspect, or a folder of them.
public struct Subject: Sendable {
    /// The path as it was given, or as it follows from a folder's.
    public let path: String
    /// What is there.
    public let form: Form

    /// What can be at a path.
    public enum Form: Sendable {
        /// A tensor file, a PyTorch archive, or an index of shards.
        case file
        /// A tensor stream.
        case stream(StreamFolder)
        /// A folder that holds such things, by their names in it.
        case folder([String])
    }

    /// Looks at what a path leads to, without opening any tensor file.
    ///
    /// Throws `SystemError` if nothing can be found there, `InspectionError` at a folder that holds nothing
    /// to inspect.
    public init(path: String) throws {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("open", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            form = .file
            return
        }
        let folder = StreamFolder(path: path)
        if folder.isStream {
            form = .stream(folder)
            return
        }
        let names = try FolderListing.subjects(in: path)
        guard !names.isEmpty else {
            throw InspectionError(
                path, "there is no stream.json, tensor file or checkpoint in this folder")
        }
        form = .folder(names)
    }

    /// The things in a folder, or this one thing; opened one by one, since a folder may hold many.
    public func leaves() -> some Sequence<Result<Subject, any Error>> {
        let paths: [String] =
            if case .folder(let names) = form { names.map { join(path, $0) } } else { [path] }
        return paths.lazy.map { path in Result { try Subject(path: path) } }
    }
}

extension Subject {
    /// Tensors that lie together: a file, or the shards of one checkpoint.
    public struct Part: Sendable {
        /// The path to open.
        public let path: String
        /// The file's name in its stream; empty where the part is all there is.
        public let name: String

        /// Opens it and validates its structure. Throws `SystemError` or `TensorFileError`.
        public func open() throws -> any Checkpoint { try openCheckpoint(at: path) }

        /// What to call one of its tensors among those of all parts.
        public func label(_ tensor: String) -> String {
            name.isEmpty ? plain(tensor) : "\(name):\(plain(tensor))"
        }
    }

    /// The parts that are there: a file's one, a stream's lead and blocks. Traps at a folder.
    public func parts() throws -> [Part] {
        switch form {
        case .file: return [Part(path: path, name: "")]
        case .stream(let folder):
            let state = try folder.state()
            let lead = state.hasLead ? [folder.leadPath] : []
            return (lead + state.blocks.map(folder.path(ofBlock:))).map {
                Part(path: $0, name: lastComponent(of: $0))
            }
        case .folder: preconditionFailure("a folder is inspected leaf by leaf")
        }
    }
}

/// Why something cannot be inspected, in one line that names it.
public struct InspectionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path concerned.
    public let path: String
    /// Why not, as it follows a colon.
    public let reason: String

    /// An error about a path.
    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "'\(path)': \(reason)" }
}

/// A path inside a folder.
func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
}

/// The name of a file or folder without where it lies.
func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}

/// A text from a file nobody vouched for, without control characters.
func plain(_ text: String) -> String {
    var plain = ""
    for scalar in text.unicodeScalars {
        plain.unicodeScalars.append(scalar.properties.generalCategory == .control ? "?" : scalar)
    }
    return plain
}
