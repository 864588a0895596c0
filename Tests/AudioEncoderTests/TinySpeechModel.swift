import AudioEncoder
import Checkpoints
import Tensors
import TestSupport

/// The tiny checkpoint's audio encoder.
enum TinySpeechModel {
    private static let root = Fixtures.path("open/ckpt")

    /// The model, not loaded.
    static func encoder() throws -> SpeechEncoder {
        let folder = try WeightFolder(path: root)
        let configuration = try Wav2Vec2Configuration(
            ConfigurationFile(path: folder.audioEncoderConfigurationPath()))
        return SpeechEncoder(
            WeightBinder(try folder.audioEncoder()), configuration: configuration)
    }
}

/// The published model, as names and shapes.
enum RealSpeechModel {
    /// What the published `config.json` says.
    static let configuration = Wav2Vec2Configuration(
        convolutions: zip([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2]).map {
            .init(channels: 512, kernel: $0, stride: $1)
        },
        hasConvolutionBias: true, hiddenSize: 1024, intermediateSize: 4096, layers: 24, heads: 16,
        positionalKernel: 128, positionalGroups: 16, layerNormEpsilon: 1e-5)

    /// Its tensors.
    static func checkpoint() throws -> DeclaredCheckpoint {
        try DeclaredCheckpoint(
            shapes: Fixtures.path("real-14B-shapes.json"),
            section: "wav2vec2_large_xlsr_53_english", dataType: .float32)
    }

    /// The checkpoint as a source of weights, of which nothing is claimed yet.
    static func weights() throws -> WeightBinder { WeightBinder(try checkpoint()) }
}
