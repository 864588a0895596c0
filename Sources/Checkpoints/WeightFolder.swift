import Glibc
import Tensors

/// The folder of weights that `--weights` names, in the layout in which they are published.
///
/// Either the folder that holds `Wan2.2-S2V-14B`, or that folder itself. A file is looked for when
/// it is asked for, so that a machine which only decodes needs only the decoder's weights.
public struct WeightFolder: Sendable {
    /// The path as it was given.
    public let path: String
    /// The folder of the model's files.
    public let modelPath: String

    private let searched: [String]

    /// Finds the model's folder; throws `SystemError` if `path` is no folder.
    public init(path: String) throws(SystemError) {
        guard isFolder(path) else { throw SystemError("open", path, code: errorOfFolder(path)) }
        self.path = path
        let inside = join(path, Self.modelName)
        searched = [inside, path]
        modelPath = isFolder(inside) ? inside : path
    }

    /// The published name of the model's folder.
    static let modelName = "Wan2.2-S2V-14B"
    /// The published name of the text encoder inside it.
    static let textEncoderName = "models_t5_umt5-xxl-enc-bf16.pth"
    /// The published folder of the audio encoder inside it.
    static let audioEncoderName = "wav2vec2-large-xlsr-53-english"
    /// The published folder of the tokenizer inside it.
    static let tokenizerName = "google/umt5-xxl"
    /// The names of the video autoencoder inside it: the published one is the archive's.
    static let videoVAENames = ["Wan2.1_VAE.safetensors", "Wan2.1_VAE.pth"]

    /// The path of the denoiser's hyper-parameters.
    public func denoiserConfigurationPath() throws(MissingWeightFile) -> String {
        try find(["config.json"])
    }

    /// The denoiser: shards with an index, or one file; as published, or prepared.
    public func denoiser() throws -> any Checkpoint {
        try openPrepared([
            PreparedModel.denoiser.indexName, "diffusion_pytorch_model.safetensors",
        ])
    }

    /// The UMT5 text encoder: prepared, or as published.
    public func textEncoder() throws -> any Checkpoint {
        try openPrepared([PreparedModel.textEncoder.indexName, Self.textEncoderName])
    }

    /// The first of these files that exists; where weights are stored with scales, as models see them.
    private func openPrepared(_ names: [String]) throws -> any Checkpoint {
        let checkpoint = try openCheckpoint(at: find(names))
        guard PreparedCheckpoint.isNeeded(for: checkpoint) else { return checkpoint }
        return try PreparedCheckpoint(checkpoint)
    }

    /// The path of the text encoder's `tokenizer.json`.
    public func tokenizerPath() throws(MissingWeightFile) -> String {
        try find(["\(Self.tokenizerName)/tokenizer.json"])
    }

    /// The video autoencoder, safetensors before the published archive.
    public func videoVAE() throws -> any Checkpoint {
        try openCheckpoint(at: find(Self.videoVAENames))
    }

    /// The path of the wav2vec 2.0 audio encoder's hyper-parameters.
    public func audioEncoderConfigurationPath() throws(MissingWeightFile) -> String {
        try find(["\(Self.audioEncoderName)/config.json"])
    }

    /// The wav2vec 2.0 audio encoder, safetensors before PyTorch, with the old names of weight norm.
    public func audioEncoder() throws -> any Checkpoint {
        let names = ["model.safetensors", "pytorch_model.bin"]
        let path = try find(names.map { "\(Self.audioEncoderName)/\($0)" })
        return try RenamedCheckpoint(withOldWeightNormNames: openCheckpoint(at: path))
    }

    /// The first of these files, by place and then by name, that exists.
    private func find(_ names: [String]) throws(MissingWeightFile) -> String {
        for name in names {
            let candidate = join(modelPath, name)
            if access(candidate, F_OK) == 0 { return candidate }
        }
        throw MissingWeightFile(
            names: names, searched: modelPath == path ? searched : [modelPath])
    }
}

extension WeightFolder {
    /// The LoRA that `--lora` names: a file, or a folder with the published name or file in it.
    ///
    /// Throws `MissingWeightFile` if a folder holds none; a path that is no folder is returned as it is.
    public static func adapterPath(at path: String) throws(MissingWeightFile) -> String {
        guard isFolder(path) else { return path }
        let names = ["liveavatar.safetensors", "LiveAvatar/liveavatar.safetensors"]
        for name in names where access(join(path, name), F_OK) == 0 { return join(path, name) }
        throw MissingWeightFile(names: names, searched: [path])
    }
}

/// A file that a folder of weights lacks.
public struct MissingWeightFile: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name under the folder, and its other names if it may have several.
    public let names: [String]
    /// Where it was looked for.
    public let searched: [String]

    public var description: String {
        let names = names.map { "'\($0)'" }.joined(separator: " or ")
        let folders = searched.map { "'\($0)'" }.joined(separator: " and ")
        return "cannot find \(names): searched in \(folders)"
    }
}

/// A path inside a folder, or inside this one.
func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// Whether a path leads to a folder.
private func isFolder(_ path: String) -> Bool {
    errorOfFolder(path) == 0
}

/// Why a path leads to no folder, as an `errno`; 0 if it leads to one.
private func errorOfFolder(_ path: String) -> Int32 {
    var status = stat()
    guard stat(path, &status) == 0 else { return errno }
    return status.st_mode & S_IFMT == S_IFDIR ? 0 : ENOTDIR
}
