import Compute
import Layers
import Tensors

/// The part of wav2vec 2.0 that looks at samples: strided convolutions, each normalised over its
/// channels, then a projection to the transformer's width. A step depends on few samples (400 for the
/// published model), so any piece of a recording gives the same steps as the whole.
///
/// Source: Baevski et al., arXiv:2006.11477, section 2.
package struct FeatureExtractor {
    /// wav2vec2.feature_extractor.conv_layers.0, .1, ...
    let layers: [Layer]
    /// wav2vec2.feature_projection.layer_norm [channels]
    let norm: LayerNorm
    /// wav2vec2.feature_projection.projection.weight [hidden, channels]
    let projection: Linear

    /// The extractor and projection below `scope`.
    init(_ scope: WeightScope, _ configuration: Wav2Vec2Configuration) {
        var inputs = 1
        var layers: [Layer] = []
        for (index, sizes) in configuration.convolutions.enumerated() {
            layers.append(
                Layer(
                    scope.scope("feature_extractor.conv_layers.\(index)"), sizes, inputs: inputs,
                    bias: configuration.hasConvolutionBias))
            inputs = sizes.channels
        }
        self.layers = layers
        let projection = scope.scope("feature_projection")
        norm = LayerNorm(
            projection.scope("layer_norm"), size: inputs, epsilon: configuration.layerNormEpsilon)
        self.projection = Linear(
            projection.scope("projection"), from: inputs, to: configuration.hiddenSize)
    }

    /// The features of normalised samples (float32 [samples]): [steps, channels].
    package func features(_ samples: Tensor, on device: any Device) throws -> Tensor {
        let count = samples.shape.elementCount
        var x =
            samples.dataType == device.activationType
            ? samples : try device.cast(samples, to: device.activationType)
        x = x.reshaped([count, 1, 1, 1])
        for layer in layers { x = try layer(x, on: device) }
        return x.reshaped([x.shape[0], x.shape[-1]])
    }

    /// The features [steps, channels] normalised and projected into x (float32 [steps, hidden]).
    func project(_ features: Tensor, into x: Tensor, on device: any Device) throws {
        try projection(norm(features, on: device), into: x, on: device)
    }

    /// A convolution over time, layer norm over its channels, and GELU.
    struct Layer {
        /// conv.weight [channels, inputs, kernel], on the device with height and width of 1
        let weight: Parameter
        /// conv.bias [channels]
        let bias: Parameter?
        /// layer_norm [channels]
        let norm: LayerNorm
        /// The stride; there is no padding.
        let geometry: ConvolutionGeometry

        /// Added to the variance; the configuration's number is the transformer's alone.
        private static let epsilon: Float = 1e-5

        init(
            _ scope: WeightScope, _ sizes: Wav2Vec2Configuration.Convolution, inputs: Int,
            bias hasBias: Bool
        ) {
            weight = scope.parameter(
                "conv.weight", [sizes.channels, inputs, sizes.kernel],
                for: .convolution(groups: 1),
                viewedAs: [sizes.channels, inputs, sizes.kernel, 1, 1])
            bias = hasBias ? scope.parameter("conv.bias", [sizes.channels]) : nil
            norm = LayerNorm(
                scope.scope("layer_norm"), size: sizes.channels, epsilon: Self.epsilon)
            geometry = ConvolutionGeometry(stride: .init(sizes.stride, 1, 1))
        }

        /// From [steps, 1, 1, inputs] to [fewer steps, 1, 1, channels].
        func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
            let shape = geometry.outputShape(input: x.shape, weight: weight.shape)
            let rows: Tensor
            do {
                let convolved = try device.allocate(shape, device.activationType)
                try device.convolution(
                    x, weight: weight.tensor, bias: bias?.tensor, geometry: geometry,
                    residual: nil, into: convolved)
                rows = try norm(convolved.reshaped([shape[0], shape[-1]]), on: device)
            }
            try device.activate(rows, .gelu, into: rows)
            return rows.reshaped(shape)
        }
    }
}
