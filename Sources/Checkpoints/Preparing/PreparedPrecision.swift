import Tensors

/// How the large weights of a prepared model are stored.
public enum PreparedPrecision: String, CaseIterable, Sendable {
    /// bfloat16, as they are published.
    case bf16
    /// float8_e4m3 with a float32 scale for each output channel.
    case fp8
    /// int8 with a float32 scale for each output channel.
    case int8

    /// The type of the elements.
    var dataType: DataType {
        switch self {
        case .bf16: .bfloat16
        case .fp8: .float8E4M3
        case .int8: .int8
        }
    }

    /// The number that a channel's largest weight becomes; nil where weights are stored without scales.
    var largest: Float? {
        switch self {
        case .bf16: nil
        case .fp8: Float8E4M3.greatestFiniteMagnitude
        case .int8: 127
        }
    }

    /// Whether a tensor of the denoiser or the text encoder is stored with scales: the matrices of the transformer's blocks
    /// and of the audio injectors, which hold nearly all of its weights. Embeddings, also those of relative positions,
    /// modulation, the head and the sound's encoder stay as they are.
    package static func isLarge(_ tensor: TensorDescriptor) -> Bool {
        let path = tensor.name.split(separator: ".")
        guard tensor.shape.rank == 2, path.last == "weight", !path.contains("pos_embedding")
        else { return false }
        return path.first == "blocks" || path.starts(with: ["audio_injector", "injector"])
    }
}
