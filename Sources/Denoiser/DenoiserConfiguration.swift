import Checkpoints
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

    /// A configuration of these sizes, which must fit together.
    public init(
        dim: Int, feedForward: Int, heads: Int, layers: Int, frequency: Int, latentChannels: Int,
        textTokens: Int, audioDim: Int, audioTokens: Int, audioLayers: [Int], epsilon: Float
    ) {
        self.dim = dim
        self.feedForward = feedForward
        self.heads = heads
        self.layers = layers
        self.frequency = frequency
        self.latentChannels = latentChannels
        self.textTokens = textTokens
        self.audioDim = audioDim
        self.audioTokens = audioTokens
        self.audioLayers = audioLayers
        self.epsilon = epsilon
    }

    /// Channels of a head.
    public var head: Int { dim / heads }

    /// How many blocks in front of it a block depends on, and a restart must replay: layers x 3 for
    /// clips of 4 blocks.
    public func replayBlocks(on grid: LatentGrid) -> Int {
        // Each layer looks back over the window without the block itself.
        layers * (grid.clipBlocks - 1)
    }

    /// Latent frames of a block, the unit that one pass denoises.
    public static let blockFrames = 3
    /// Video frames of a latent frame, after the first.
    public static let framesPerLatent = 4
    /// Video frames of the motion condition.
    public static let motionVideoFrames = 73
    /// Latent frames of the motion condition.
    public static let motionFrames = 19
    /// Video frames of a block.
    public static let blockVideoFrames = blockFrames * framesPerLatent
    /// Height and width of a patch, in latents.
    public static let patch = 2
}

extension DenoiserConfiguration {
    /// Reads `config.json`; throws `TensorFileError` naming the key that is missing, wrong or not
    /// supported.
    public init(_ file: ConfigurationFile) throws {
        try Self.checkGraph(file)
        self.init(
            dim: try file.size("dim"), feedForward: try file.size("ffn_dim"),
            heads: try file.size("num_heads"), layers: try file.size("num_layers"),
            frequency: try file.size("freq_dim"), latentChannels: try file.size("in_dim"),
            textTokens: try file.size("text_len"), audioDim: try file.size("audio_dim"),
            audioTokens: try file.size("num_audio_token"),
            audioLayers: try file.integers("audio_inject_layers").sorted(),
            epsilon: Float(try file.number("eps")))
        try checkSizes(file)
    }

    /// Refuses variants of the graph that the published model does not use.
    private static func checkGraph(_ file: ConfigurationFile) throws {
        let strings = [
            ("model_type", "s2v"), ("adain_mode", "attn_norm"), ("framepack_drop_mode", "padd"),
        ]
        for (key, expected) in strings where try file.string(key) != expected {
            throw file.error(key, "is not '\(expected)': that variant is not supported")
        }
        let flags = [
            ("enable_adain", true), ("zero_timestep", true), ("enable_framepack", true),
            ("add_last_motion", true), ("enable_motioner", false),
        ]
        for (key, expected) in flags where try file.bool(key) != expected {
            throw file.error(key, "is not \(expected): that variant is not supported")
        }
        guard try file.integer("out_dim") == file.integer("in_dim") else {
            throw file.error("out_dim", "differs from in_dim")
        }
    }

    /// Refuses sizes that do not fit together.
    private func checkSizes(_ file: ConfigurationFile) throws {
        // The audio encoder starts at a quarter of the width.
        guard dim % 4 == 0 else { throw file.error("dim", "is \(dim), not a multiple of 4") }
        guard dim % heads == 0 else {
            throw file.error("num_heads", "is \(heads), into which dim \(dim) does not split")
        }
        guard head % 2 == 0 else {
            throw file.error("num_heads", "is \(heads), which leaves odd heads of \(head)")
        }
        guard frequency % 2 == 0 else { throw file.error("freq_dim", "is odd") }
        guard Set(audioLayers).count == audioLayers.count,
            audioLayers.allSatisfy((0..<layers).contains)
        else {
            throw file.error("audio_inject_layers", "names a layer twice, or one beyond the last")
        }
    }
}

extension ConfigurationFile {
    /// An integer from 1 to a bound that keeps products of a few such in range.
    fileprivate func size(_ key: String) throws -> Int {
        let size = try integer(key)
        guard size <= 1 << 20 else { throw error(key, "is \(size)") }
        return size
    }
}
