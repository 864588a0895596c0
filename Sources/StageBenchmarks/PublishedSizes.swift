import AudioEncoder
import Denoiser
import Planning
import Tensors

/// The sizes of the published models, whole, or reduced to try something out.
///
/// Sources: `config.json` of https://huggingface.co/Wan-AI/Wan2.2-S2V-14B and of
/// https://huggingface.co/jonatasgrosman/wav2vec2-large-xlsr-53-english, and the shapes in the checkpoints.
public struct PublishedSizes: Sendable {
    /// Layers of the transformer in question; nil for as many as published.
    public var layers: Int?
    /// By what widths and numbers of heads are divided.
    public var divisor: Int

    /// Divisors that all models can stand.
    public static let divisors = [1, 2, 4, 8, 16, 32]

    /// Sizes with so many layers and widths divided so. Traps unless it is one of `divisors`.
    public init(layers: Int? = nil, divisor: Int = 1) {
        precondition(Self.divisors.contains(divisor))
        self.layers = layers
        self.divisor = divisor
    }

    private func divided(_ size: Int) -> Int { max(1, size / divisor) }

    /// Layers of a transformer that has this many.
    private func layers(of published: Int) -> Int { layers ?? published }
}

// MARK: - Denoiser

extension PublishedSizes {
    /// The denoiser's sizes. Heads keep their width, since attention is made for it.
    public var denoiser: DenoiserConfiguration {
        var sizes = DenoiserConfiguration.published
        let head = sizes.head
        sizes.heads = divided(sizes.heads)
        sizes.dim = head * sizes.heads
        sizes.feedForward = divided(sizes.feedForward)
        sizes.audioDim = divided(sizes.audioDim)
        sizes.layers = layers(of: sizes.layers)
        sizes.audioLayers.removeAll { $0 >= sizes.layers }
        return sizes
    }

    /// The shapes from which the denoiser takes sizes that its configuration lacks.
    public var denoiserShapes: [String: Shape] {
        denoiser.sizingShapes(textDim: textDim, audioStates: audioStates)
    }

    /// Hidden states of the audio encoder that the denoiser hears, whatever part of it is tried out.
    public var audioStates: Int { DenoiserConfiguration.publishedAudioStates }
}

// MARK: - Encoders

extension PublishedSizes {
    /// Width of the text's rows.
    public var textDim: Int { divided(DenoiserConfiguration.publishedTextDim) }
    /// Rows of the text encoder's table of embeddings.
    public var vocabulary: Int { 256_384 }

    /// The shapes from which the text encoder takes its sizes.
    public var textShapes: [String: Shape] {
        let heads = divided(64)
        let head = 64
        var shapes: [String: Shape] = [
            "token_embedding.weight": [vocabulary, textDim],
            "blocks.0.attn.q.weight": [heads * head, textDim],
            "blocks.0.pos_embedding.embedding.weight": [32, heads],
            "blocks.0.ffn.gate.0.weight": [divided(10240), textDim],
        ]
        for layer in 0..<layers(of: 24) { shapes["blocks.\(layer).norm1.weight"] = [textDim] }
        return shapes
    }

    /// The audio encoder's sizes.
    public var speech: Wav2Vec2Configuration {
        let kernels = [10, 3, 3, 3, 3, 2, 2]
        let strides = [5, 2, 2, 2, 2, 2, 2]
        return Wav2Vec2Configuration(
            convolutions: zip(kernels, strides).map {
                .init(channels: divided(512), kernel: $0, stride: $1)
            },
            hasConvolutionBias: true, hiddenSize: divided(1024), intermediateSize: divided(4096),
            layers: layers(of: 24), heads: divided(16), positionalKernel: 128,
            positionalGroups: 16, layerNormEpsilon: 1e-5)
    }

    /// The shapes from which the VAE takes its sizes.
    public var videoShapes: [String: Shape] { ["encoder.conv1.weight": [divided(96), 3, 3, 3, 3]] }
}
