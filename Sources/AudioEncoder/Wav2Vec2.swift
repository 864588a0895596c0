import Compute
import Layers
import Tensors

/// The wav2vec 2.0 network, stable-layer-norm variant: from normalised samples to all hidden states.
///
/// Dimensions, names and traps are in `MODEL.md`. Source: Baevski et al., arXiv:2006.11477.
package struct Wav2Vec2 {
    /// Sizes from `config.json`.
    let configuration: Wav2Vec2Configuration
    /// wav2vec2.feature_extractor and wav2vec2.feature_projection
    package let extractor: FeatureExtractor
    /// wav2vec2.encoder.pos_conv_embed
    package let positions: PositionalConvolution
    /// wav2vec2.encoder.layers.0, .1, ...
    let layers: [EncoderLayer]
    /// wav2vec2.encoder.layer_norm [hidden]
    let norm: LayerNorm
    /// All parameters but those of the positional convolution, which loads its own.
    let parameters: [Parameter]

    /// Claims the network's weights.
    init(_ source: any WeightSource, _ configuration: Wav2Vec2Configuration) {
        let root = WeightScope(source).scope("wav2vec2")
        let encoder = root.scope("encoder")
        self.configuration = configuration
        extractor = FeatureExtractor(root, configuration)
        layers = (0..<configuration.layers).map {
            EncoderLayer(encoder.scope("layers.\($0)"), configuration)
        }
        norm = LayerNorm(
            encoder.scope("layer_norm"), size: configuration.hiddenSize,
            epsilon: configuration.layerNormEpsilon)
        parameters = root.parameters
        positions = PositionalConvolution(
            WeightScope(source).scope("wav2vec2.encoder.pos_conv_embed"), configuration)
    }

    /// Brings all weights into the device's memory.
    func load(on device: any Device, monitor: Monitor) throws {
        try positions.load(on: device)
        try parameters.load(on: device, monitor: monitor)
    }

    /// Lets go of the device's memory.
    func unload() {
        positions.unload()
        parameters.unload()
    }

    /// The projected features, float32 [steps, hidden], of a range of steps whose normalised samples
    /// `samples` gives. Computed in pieces: the first convolution's output is many times as large as the stream.
    package func project(
        _ steps: Range<Int>, samples: (Range<Int>) throws -> [Float], on device: any Device,
        monitor: () throws -> Void
    ) throws -> Tensor {
        let x = try device.allocate([steps.count, configuration.hiddenSize], .float32)
        var done = 0
        while done < steps.count {
            let piece = done..<min(done + Self.pieceSteps, steps.count)
            let shifted =
                steps.lowerBound + piece.lowerBound..<steps.lowerBound + piece.upperBound
            let input = try samples(configuration.samples(of: shifted))
            let features = try extractor.features(
                device.tensor(input, [input.count]), on: device)
            try extractor.project(features, into: x.rows(piece), on: device)
            done = piece.upperBound
            try monitor()
        }
        return x
    }

    /// Passes projected features x (float32 [steps, hidden]) through the transformer in place, showing
    /// `observer` every hidden state (float32 [steps, hidden]) with its index. `observer` must be done
    /// with a state when it returns.
    package func transform(
        _ x: Tensor, on device: any Device, observer: (Int, Tensor) throws -> Void
    ) throws {
        try device.accumulate(positions(x, on: device), onto: x)
        for (index, layer) in layers.enumerated() {
            try observer(index, x)
            try layer(x, on: device)
        }
        let last = try device.allocate(x.shape, .float32)
        try device.layerNorm(
            x, weight: norm.weight.tensor, bias: norm.bias.tensor, scale: nil, shift: nil,
            epsilon: norm.epsilon, into: last)
        try observer(layers.count, last)
    }

    /// Steps whose features are extracted at once: ten seconds for the published model.
    static let pieceSteps = 512
}
