import Denoiser
import Tensors

extension DenoiserConfiguration {
    /// The sizes of the published model.
    ///
    /// Source: `config.json` of https://huggingface.co/Wan-AI/Wan2.2-S2V-14B.
    public static let published = DenoiserConfiguration(
        dim: 5120, feedForward: 13824, heads: 40, layers: 40, frequency: 256, latentChannels: 16,
        textTokens: 512, audioDim: 1024, audioTokens: 4,
        audioLayers: [0, 4, 8, 12, 16, 20, 24, 27, 30, 33, 36, 39], epsilon: 1e-6)
    /// Width of the text context's rows in the published model.
    public static let publishedTextDim = 4096
    /// Hidden states of the audio encoder that the published model mixes.
    public static let publishedAudioStates = 25

    /// The shapes from which a model of these sizes takes those that its configuration lacks.
    public func sizingShapes(textDim: Int, audioStates: Int) -> [String: Shape] {
        [
            "text_embedding.0.weight": [dim, textDim],
            "casual_audio_encoder.weights": [1, audioStates, 1, 1],
        ]
    }
}
