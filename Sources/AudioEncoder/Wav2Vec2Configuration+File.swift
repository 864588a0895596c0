import Checkpoints
import Tensors

extension Wav2Vec2Configuration {
    /// The sizes in a published `config.json`.
    ///
    /// Throws `TensorFileError` if a key is missing or of the wrong kind, if the sizes do not belong
    /// together, or if the file describes another variant of wav2vec 2.0 than this one.
    public init(_ file: ConfigurationFile) throws(TensorFileError) {
        try Self.checkVariant(file)
        let hiddenSize = try file.integer("hidden_size")
        self.init(
            convolutions: try Self.convolutions(file),
            hasConvolutionBias: try file.bool("conv_bias"),
            hiddenSize: hiddenSize,
            intermediateSize: try file.integer("intermediate_size"),
            layers: try file.integer("num_hidden_layers"),
            heads: try Self.divisor("num_attention_heads", of: hiddenSize, in: file),
            positionalKernel: try file.integer("num_conv_pos_embeddings"),
            positionalGroups: try Self.divisor(
                "num_conv_pos_embedding_groups", of: hiddenSize, in: file),
            layerNormEpsilon: Float(try file.number("layer_norm_eps")))
    }

    /// Throws unless every switch of the architecture stands as this implementation has it.
    private static func checkVariant(_ file: ConfigurationFile) throws(TensorFileError) {
        guard try file.bool("do_stable_layer_norm") else {
            throw file.error("do_stable_layer_norm", "is false, only the stable variant is offered")
        }
        let expected = [
            ("feat_extract_norm", "layer"), ("feat_extract_activation", "gelu"),
            ("hidden_act", "gelu"),
        ]
        for (key, value) in expected {
            let found = try file.string(key)
            guard found == value else {
                throw file.error(key, "is '\(found)', only '\(value)' is offered")
            }
        }
    }

    private static func convolutions(
        _ file: ConfigurationFile
    ) throws(TensorFileError) -> [Convolution] {
        let channels = try file.integers("conv_dim", atLeast: 1)
        let kernels = try file.integers("conv_kernel", atLeast: 1)
        let strides = try file.integers("conv_stride", atLeast: 1)
        guard !channels.isEmpty else { throw file.error("conv_dim", "is empty") }
        guard kernels.count == channels.count, strides.count == channels.count else {
            throw file.error(
                "conv_dim", "has \(channels.count) layers, 'conv_kernel' or 'conv_stride' has not")
        }
        return channels.indices.map {
            Convolution(channels: channels[$0], kernel: kernels[$0], stride: strides[$0])
        }
    }

    /// An integer that divides the hidden size.
    private static func divisor(
        _ key: String, of hiddenSize: Int, in file: ConfigurationFile
    ) throws(TensorFileError) -> Int {
        let value = try file.integer(key)
        guard hiddenSize % value == 0 else {
            throw file.error(key, "is \(value), which does not divide 'hidden_size' \(hiddenSize)")
        }
        return value
    }
}
