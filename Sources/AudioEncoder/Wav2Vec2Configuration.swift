/// The sizes of a wav2vec 2.0 model of the stable-layer-norm variant, from its `config.json`.
public struct Wav2Vec2Configuration: Hashable, Sendable {
    /// One layer of the feature extractor.
    public struct Convolution: Hashable, Sendable {
        /// Channels of its output (`conv_dim`).
        public let channels: Int
        /// Taps (`conv_kernel`).
        public let kernel: Int
        /// Steps between outputs (`conv_stride`).
        public let stride: Int

        /// A layer of these sizes.
        public init(channels: Int, kernel: Int, stride: Int) {
            self.channels = channels
            self.kernel = kernel
            self.stride = stride
        }
    }

    /// The feature extractor's layers, from the samples on.
    public let convolutions: [Convolution]
    /// Whether those layers have biases (`conv_bias`).
    public let hasConvolutionBias: Bool
    /// Width of a step in the transformer, and of every hidden state (`hidden_size`).
    public let hiddenSize: Int
    /// Width inside the feed-forward part (`intermediate_size`).
    public let intermediateSize: Int
    /// Layers of the transformer (`num_hidden_layers`).
    public let layers: Int
    /// Heads of the attention (`num_attention_heads`).
    public let heads: Int
    /// Taps of the positional convolution (`num_conv_pos_embeddings`).
    public let positionalKernel: Int
    /// Groups of the positional convolution (`num_conv_pos_embedding_groups`).
    public let positionalGroups: Int
    /// Added to the variance in the transformer's norms (`layer_norm_eps`).
    public let layerNormEpsilon: Float

    /// Samples a second that the model was trained on.
    public static let sampleRate = 16_000

    /// Sizes that belong together. Traps if heads or groups do not divide the hidden size, or if there
    /// are no convolutions.
    public init(
        convolutions: [Convolution], hasConvolutionBias: Bool, hiddenSize: Int,
        intermediateSize: Int, layers: Int, heads: Int, positionalKernel: Int,
        positionalGroups: Int, layerNormEpsilon: Float
    ) {
        precondition(!convolutions.isEmpty)
        precondition(hiddenSize % heads == 0 && hiddenSize % positionalGroups == 0)
        self.convolutions = convolutions
        self.hasConvolutionBias = hasConvolutionBias
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layers = layers
        self.heads = heads
        self.positionalKernel = positionalKernel
        self.positionalGroups = positionalGroups
        self.layerNormEpsilon = layerNormEpsilon
    }
}

extension Wav2Vec2Configuration {
    /// Hidden states of a forward pass: the input of every layer, and the normalised output of the last.
    public var states: Int { layers + 1 }

    /// Samples from one step to the next.
    public var hop: Int { convolutions.reduce(1) { $0 * $1.stride } }

    /// Steps a second: 50 for the published model.
    public var stepRate: Double { Double(Self.sampleRate) / Double(hop) }

    /// Steps that come of a number of samples.
    public func steps(samples: Int) -> Int {
        convolutions.reduce(samples) { length, layer in
            length < layer.kernel ? 0 : (length - layer.kernel) / layer.stride + 1
        }
    }

    /// The samples that a range of steps, which must not be empty, depends on.
    public func samples(of steps: Range<Int>) -> Range<Int> {
        steps.lowerBound * hop..<samplesNeeded(steps: steps.count) + steps.lowerBound * hop
    }

    /// The fewest samples that give this number of steps, at least 1.
    func samplesNeeded(steps: Int) -> Int {
        convolutions.reversed().reduce(steps) { ($0 - 1) * $1.stride + $1.kernel }
    }
}
