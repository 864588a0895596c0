import Tensors

/// What a file between two stages holds: the `kind` in its metadata.
public enum ArtifactKind: String, CaseIterable, Codable, Sendable {
    /// The encoded prompt: a file of `encode-text`.
    case textCondition = "text-condition"
    /// The encoded voice: a file of `encode-audio`.
    case audioCondition = "audio-condition"
    /// The encoded portrait: a file of `encode-vae`.
    case reference = "reference"
    /// Denoised or half-denoised latents: a stream of `denoise-latents`.
    case latents = "latents"
    /// Pixels: a stream of `decode-vae`.
    case frames = "frames"
    /// Random numbers of another implementation: a file made for comparisons.
    case replay = "replay"

    /// Whether it is a folder of numbered blocks, not a single file.
    public var isStream: Bool { self == .latents || self == .frames }

    /// The types that conditions and latents may have on disk.
    static let conditionTypes: Set<DataType> = [.float32, .bfloat16]
}

extension ArtifactKind: CustomStringConvertible {
    public var description: String { rawValue }
}
