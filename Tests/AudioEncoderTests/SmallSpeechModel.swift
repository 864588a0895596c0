import AudioEncoder
import Tensors
import TestSupport

/// A model of other sizes than the goldens' and the published one's: an odd number of heads, four
/// convolutions without biases, an odd number of taps, another step rate.
enum SmallSpeechModel {
    static let configuration = Wav2Vec2Configuration(
        convolutions: zip([7, 4, 3, 2], [4, 3, 2, 2]).map {
            .init(channels: 10, kernel: $0, stride: $1)
        },
        hasConvolutionBias: false, hiddenSize: 18, intermediateSize: 26, layers: 2, heads: 3,
        positionalKernel: 5, positionalGroups: 2, layerNormEpsilon: 1e-4)

    /// The model's weights.
    static func weights(_ sizes: Wav2Vec2Configuration = configuration) -> SeededWeights {
        SeededWeights(shapes(sizes), seed: 11) { (1, $0.hasSuffix("norm.weight") ? 1 : 0) }
    }

    private static func shapes(_ sizes: Wav2Vec2Configuration) -> [(String, Shape)] {
        let (hidden, inner) = (sizes.hiddenSize, sizes.intermediateSize)
        var shapes: [(String, Shape)] = []
        func pair(_ name: String, _ weight: Shape) {
            shapes += [(name + ".weight", weight), (name + ".bias", [weight[0]])]
        }
        var inputs = 1
        for (index, layer) in sizes.convolutions.enumerated() {
            let scope = "wav2vec2.feature_extractor.conv_layers.\(index)."
            shapes.append((scope + "conv.weight", [layer.channels, inputs, layer.kernel]))
            if sizes.hasConvolutionBias { shapes.append((scope + "conv.bias", [layer.channels])) }
            pair(scope + "layer_norm", [layer.channels])
            inputs = layer.channels
        }
        pair("wav2vec2.feature_projection.layer_norm", [inputs])
        pair("wav2vec2.feature_projection.projection", [hidden, inputs])
        let positions = "wav2vec2.encoder.pos_conv_embed.conv."
        shapes += [
            (positions + "weight_g", [1, 1, sizes.positionalKernel]),
            (
                positions + "weight_v",
                [hidden, hidden / sizes.positionalGroups, sizes.positionalKernel]
            ),
            (positions + "bias", [hidden]),
        ]
        for layer in 0..<sizes.layers {
            let scope = "wav2vec2.encoder.layers.\(layer)."
            for name in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                pair(scope + "attention.\(name)", [hidden, hidden])
            }
            pair(scope + "layer_norm", [hidden])
            pair(scope + "final_layer_norm", [hidden])
            pair(scope + "feed_forward.intermediate_dense", [inner, hidden])
            pair(scope + "feed_forward.output_dense", [hidden, inner])
        }
        pair("wav2vec2.encoder.layer_norm", [hidden])
        return shapes
    }
}
