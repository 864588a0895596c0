import Tensors

/// Throws `ToolError` if what is about to be written, or a folder for it, is one of the files and folders that are read: replacing
/// it would destroy what cannot be made again.
public func keepInputs(_ inputs: [String?], from output: String?) throws {
    guard let output, let written = FileIdentity(path: output) else { return }
    for input in inputs.compactMap(\.self) where FileIdentity(path: input) == written {
        throw ToolError("cannot write '\(output)': it is the input '\(input)'")
    }
}
