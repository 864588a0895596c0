import Foundation
import Tensors

/// The sizes of a Live Avatar transformer, from the checkpoint's `config.json`.
public struct DenoiserConfiguration: Hashable, Sendable {
    /// Width of the residual stream.
    public var dim: Int
    /// Width of the feed-forward layers.
    public var feedForward: Int
    /// Attention heads.
    public var heads: Int
    /// Transformer blocks.
    public var layers: Int
    /// Width of the timestep's sinusoid.
    public var frequency: Int
    /// Channels of a latent.
    public var latentChannels: Int
    /// Rows to which the text context is padded.
    public var textTokens: Int
    /// Width of the audio features.
    public var audioDim: Int
    /// Learned audio tokens of a latent frame, besides the padding token.
    public var audioTokens: Int
    /// Blocks after which audio is injected, ascending.
    public var audioLayers: [Int]
    /// Added to the variance in norms.
    public var epsilon: Float

    /// Channels of a head.
    public var head: Int { dim / heads }

    /// Latent frames of a block, the unit that one pass denoises.
    public static let blockFrames = 3
    /// Video frames of a latent frame, after the first.
    public static let framesPerLatent = 4
    /// Video frames of the motion condition.
    public static let motionVideoFrames = 73
    /// Latent frames of the motion condition.
    public static let motionFrames = 19
    /// Height and width of a patch, in latents.
    public static let patch = 2
}

extension DenoiserConfiguration {
    /// What the checkpoint says that this implementation cannot run, or a key it lacks.
    public struct Invalid: Error, CustomStringConvertible {
        /// The path of `config.json`.
        public let path: String
        /// What is wrong with it.
        public let reason: String

        public var description: String { "cannot use '\(path)': \(reason)" }
    }

    /// The keys of `config.json` that matter. Others describe variants this graph has not.
    private struct Keys: Decodable {
        let modelType: String
        let dim: Int
        let ffnDim: Int
        let numHeads: Int
        let numLayers: Int
        let freqDim: Int
        let inDim: Int
        let outDim: Int
        let textLen: Int
        let eps: Float
        let audioDim: Int
        let numAudioToken: Int
        let audioInjectLayers: [Int]
        let enableAdain: Bool
        let adainMode: String
        let zeroTimestep: Bool
        let enableFramepack: Bool
        let addLastMotion: Bool
        let framepackDropMode: String
        let enableMotioner: Bool
    }

    /// Reads `config.json`; throws `Invalid` naming the key that is missing, wrong or not supported.
    public init(json: Data, path: String) throws {
        let keys: Keys
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            keys = try decoder.decode(Keys.self, from: json)
        } catch let error as DecodingError {
            throw Invalid(path: path, reason: Self.reason(of: error))
        }
        try Self.checkGraph(keys, path: path)
        self.init(
            dim: keys.dim, feedForward: keys.ffnDim, heads: keys.numHeads,
            layers: keys.numLayers, frequency: keys.freqDim, latentChannels: keys.inDim,
            textTokens: keys.textLen, audioDim: keys.audioDim,
            audioTokens: keys.numAudioToken,
            audioLayers: keys.audioInjectLayers.sorted(), epsilon: keys.eps)
        try checkSizes(path: path)
    }

    private static func reason(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "key '\(snakeCase(key))' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            context.codingPath.first.map { "key '\(snakeCase($0))' has the wrong type" }
                ?? "not a JSON object"
        default: "not a JSON object"
        }
    }

    /// The key as the file spells it.
    private static func snakeCase(_ key: any CodingKey) -> String {
        key.stringValue.reduce(into: "") { text, character in
            text += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
    }

    /// Refuses variants of the graph that the published model does not use.
    private static func checkGraph(_ keys: Keys, path: String) throws {
        let expectations = [
            ("model_type", keys.modelType == "s2v"),
            ("enable_adain", keys.enableAdain),
            ("adain_mode", keys.adainMode == "attn_norm"),
            ("zero_timestep", keys.zeroTimestep),
            ("enable_framepack", keys.enableFramepack),
            ("add_last_motion", keys.addLastMotion),
            ("framepack_drop_mode", keys.framepackDropMode == "padd"),
            ("enable_motioner", !keys.enableMotioner),
            ("out_dim", keys.outDim == keys.inDim),
        ]
        for (key, holds) in expectations where !holds {
            throw Invalid(
                path: path, reason: "key '\(key)' asks for a variant that is not supported")
        }
    }

    private func checkSizes(path: String) throws {
        let sizes = [
            ("dim", dim), ("ffn_dim", feedForward), ("num_heads", heads), ("num_layers", layers),
            ("freq_dim", frequency), ("in_dim", latentChannels), ("text_len", textTokens),
            ("audio_dim", audioDim), ("num_audio_token", audioTokens),
        ]
        for (key, size) in sizes where size < 1 || size > 1 << 20 {
            throw Invalid(path: path, reason: "key '\(key)' is \(size)")
        }
        guard dim % (4 * heads) == 0 else {
            throw Invalid(path: path, reason: "dim \(dim) does not split into \(heads) even heads")
        }
        guard frequency % 2 == 0 else {
            throw Invalid(path: path, reason: "freq_dim \(frequency) is odd")
        }
        guard Set(audioLayers).count == audioLayers.count,
            audioLayers.allSatisfy((0..<layers).contains)
        else {
            throw Invalid(
                path: path, reason: "audio_inject_layers names layers that do not exist, or twice")
        }
    }
}
