import Glibc

/// Throws `ToolError` if what is about to be written, or a folder for it, is one of the files and folders that are read: replacing
/// it would destroy what cannot be made again.
public func keepInputs(_ inputs: [String?], from output: String?) throws {
    guard let output, let written = FileIdentity(output) else { return }
    for input in inputs.compactMap(\.self) where FileIdentity(input) == written {
        throw ToolError("cannot write '\(output)': it is the input '\(input)'")
    }
}

/// Which file or folder a path leads to, whatever it is called.
private struct FileIdentity: Equatable {
    let device: dev_t
    let number: ino_t

    /// Nil if there is nothing.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = status.st_dev
        number = status.st_ino
    }
}
