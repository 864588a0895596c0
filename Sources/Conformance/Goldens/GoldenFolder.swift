import AudioEncoder
import Checkpoints
import Compute
import Foundation
import Layers
import Tensors
import TextEncoder
import VideoVAE

/// The folder of tiny models and of what the released code makes with them: `ckpt`, `inputs`, `goldens`. The page
/// `goldens/README.md` in it says what each tensor is.
public struct GoldenFolder: Sendable {
    /// The folder.
    public let path: String
    /// The type of the denoiser's windows and self-attention: float8_e4m3, or nil for that of
    /// activations.
    public let windowType: DataType?

    /// The folder at a path, which is read when it is asked for something.
    public init(path: String, windowType: DataType? = nil) {
        self.path = path
        self.windowType = windowType
    }

    /// A file of goldens. Throws `SystemError` or `TensorFileError`.
    package func file(_ name: String) throws -> TensorFile {
        try TensorFile(path: "\(path)/goldens/\(name).safetensors")
    }

    /// The published layout of the tiny models.
    package func weights() throws -> WeightFolder { try WeightFolder(path: path + "/ckpt") }

    /// The path of the LoRA, or its folder.
    package var adapterPath: String { path + "/ckpt/LiveAvatar" }
}

// MARK: - Models

extension GoldenFolder {
    /// The tiny text encoder.
    package func textEncoder() throws -> UMT5Encoder {
        let weights = WeightBinder(try weights().textEncoder())
        let encoder = try UMT5Encoder(weights)
        _ = try weights.finish(strict: true)
        return encoder
    }

    /// The tiny audio encoder, loaded.
    package func speechEncoder(on device: any Device) throws -> SpeechEncoder {
        let folder = try weights()
        let configuration = try Wav2Vec2Configuration(
            ConfigurationFile(path: folder.audioEncoderConfigurationPath()))
        let weights = WeightBinder(try folder.audioEncoder())
        let encoder = SpeechEncoder(weights, configuration: configuration)
        _ = try weights.finish(strict: false)
        try encoder.load(on: device)
        return encoder
    }

    /// The tiny VAE, loaded.
    package func videoVAE(on device: any Device) throws -> VideoVAE {
        let weights = WeightBinder(try weights().videoVAE())
        let model = try VideoVAE(weights)
        _ = try weights.finish(strict: true)
        try model.encoder.parameters.load(on: device)
        try model.decoder.parameters.load(on: device)
        return model
    }
}

// MARK: - Tokens

extension GoldenFolder {
    private struct TokenFile: Decodable {
        struct Case: Decodable {
            let cls: String
            let ids: [Int32]
        }
        let cases: [Case]
    }

    /// The token numbers of the first prompt of a class. Throws `DecodingError` or a Cocoa error if they cannot be read.
    package func tokens(ofClass name: String) throws -> [Int32] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "/goldens/tokenizer.json"))
        let file = try JSONDecoder().decode(TokenFile.self, from: data)
        return file.cases.first { $0.cls == name }?.ids ?? []
    }
}
