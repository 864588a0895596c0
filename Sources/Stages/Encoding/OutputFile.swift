import Artifacts
import Glibc
import Tensors

/// The path of a tensor file that a stage is about to write.
struct OutputFile {
    let path: String
    /// Whether whatever is there may be replaced.
    let overwrite: Bool

    /// Looks at the path before anything is computed: an earlier run of the same inputs and options may be replaced, and
    /// nothing else unless it was asked for.
    ///
    /// Throws `StageError` if something else is there, `SystemError` if nothing can be written there.
    func check(_ kind: ArtifactKind, _ provenance: Provenance) throws {
        let end = path.lastIndex(of: "/")
        let folder = end.map { path[...$0] } ?? "."
        guard access(String(folder), W_OK) == 0 else { throw SystemError("write", path) }
        guard !overwrite, access(path, F_OK) == 0 else { return }
        guard let file = try? TensorFile(path: path), file.metadata["kind"] == kind.rawValue else {
            throw StageError(
                "cannot write '\(path)': it exists and is no \(kind); --overwrite replaces it")
        }
        // The difference is not told: a prompt may be longer than anybody wants to read.
        guard provenance.difference(from: ArtifactHeader(of: file).provenance) == nil else {
            throw StageError(
                "cannot write '\(path)': it was made with other inputs or options; --overwrite replaces it"
            )
        }
    }
}
