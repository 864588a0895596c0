import Artifacts
import Denoiser
import Foundation
import Layers
import Tensors
import VideoVAE

/// Made-up files of full size, with which `denoise-latents` and `decode-vae` themselves can be run and timed.
public struct SyntheticFiles {
    private let subject: BenchmarkSubject
    private let toolVersion: String

    /// Files for the sizes of a benchmark.
    public init(_ subject: BenchmarkSubject, toolVersion: String) {
        self.subject = subject
        self.toolVersion = toolVersion
    }

    private static let bytesPerShard = 8 << 30

    /// Writes the weights of the denoiser and the video autoencoder in the published layout below `folder`. `note` hears of
    /// each file. Throws `SystemError`.
    public func writeWeights(to folder: String, note: (String) throws -> Void) throws {
        let weights = SyntheticWeights(.bfloat16, sizes: subject.sizes.denoiserShapes)
        _ = try CausalTransformer(
            WeightScope(weights), configuration: subject.sizes.denoiser)
        let model = folder + "/Wan2.2-S2V-14B"
        try FileManager.default.createDirectory(
            atPath: model, withIntermediateDirectories: true)
        let shards = Self.shards(weights.tensors)
        var weightMap: [String: String] = [:]
        for (index, tensors) in shards.enumerated() {
            let name = String(
                format: "diffusion_pytorch_model-%05d-of-%05d.safetensors", index + 1, shards.count)
            try note("writing \(name)")
            try write(weights, tensors, to: "\(model)/\(name)")
            for tensor in tensors { weightMap[tensor.name] = name }
        }
        let size = weights.tensors.reduce(0) { $0 + $1.byteCount }
        try write(
            ["metadata": ["total_size": size], "weight_map": weightMap],
            to: model + "/diffusion_pytorch_model.safetensors.index.json")
        try write(configuration, to: model + "/config.json")

        let videoWeights = SyntheticWeights(.float32, sizes: subject.sizes.videoShapes)
        _ = try VideoVAE(videoWeights)
        let name = "Wan2.1_VAE.safetensors"
        try note("writing \(name)")
        try write(videoWeights, videoWeights.tensors, to: "\(model)/\(name)")
    }

    /// Writes tensors of made-up weights into one file.
    private func write(
        _ weights: SyntheticWeights, _ tensors: [TensorDescriptor], to path: String
    ) throws {
        let writer = try TensorFileWriter(path: path, tensors: tensors)
        for tensor in tensors {
            let view = try weights.view(of: tensor.name)
            try withExtendedLifetime(view) { try writer.write(view.bytes, to: tensor.name) }
        }
        try writer.commit()
    }

    /// Successive tensors in shards that are not too large.
    private static func shards(_ tensors: [TensorDescriptor]) -> [[TensorDescriptor]] {
        var shards: [[TensorDescriptor]] = [[]]
        var bytes = 0
        for tensor in tensors {
            if bytes + tensor.byteCount > bytesPerShard, bytes > 0 {
                shards.append([])
                bytes = 0
            }
            shards[shards.count - 1].append(tensor)
            bytes += tensor.byteCount
        }
        return shards
    }

    /// The denoiser's `config.json`.
    private var configuration: [String: Any] {
        let sizes = subject.sizes.denoiser
        return [
            "model_type": "s2v", "adain_mode": "attn_norm", "framepack_drop_mode": "padd",
            "enable_adain": true, "zero_timestep": true, "enable_framepack": true,
            "add_last_motion": true, "enable_motioner": false, "dim": sizes.dim,
            "ffn_dim": sizes.feedForward, "num_heads": sizes.heads, "num_layers": sizes.layers,
            "freq_dim": sizes.frequency, "in_dim": sizes.latentChannels,
            "out_dim": sizes.latentChannels, "text_len": sizes.textTokens,
            "text_dim": subject.sizes.textDim, "audio_dim": sizes.audioDim,
            "num_audio_token": sizes.audioTokens, "audio_inject_layers": sizes.audioLayers,
            "eps": 1e-6,
        ]
    }

    private func write(_ object: [String: Any], to path: String) throws {
        try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            .write(to: URL(fileURLWithPath: path))
    }
}

// MARK: - Conditions

extension SyntheticFiles {
    /// Writes `text.safetensors`, `audio.safetensors` of whole clips that last so long at least, and `reference.safetensors`
    /// into `folder`. Throws `SystemError`.
    public func writeInputs(to folder: String, seconds: Double) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let inputs = SyntheticInputs(subject)
        let provenance = Provenance(tool: "bench-stages", toolVersion: toolVersion)
        let tokens = subject.sizes.denoiser.textTokens
        let text = try TextCondition.create(
            path: folder + "/text.safetensors", tokens: tokens, width: subject.sizes.textDim,
            provenance: provenance)
        try fill(text, ["context": inputs.context(tokens: tokens)])

        let clips = Int((seconds * Self.framesPerSecond / Double(Self.clipFrames)).rounded(.up))
        let frames = clips * Self.clipFrames
        let states = subject.sizes.audioStates
        let audio = try AudioCondition.create(
            path: folder + "/audio.safetensors", frames: frames, layers: states,
            width: subject.sizes.denoiser.audioDim,
            timing: .init(
                framesPerSecond: Self.framesPerSecond, clipFrames: Self.clipFrames,
                speechFrames: frames),
            provenance: provenance)
        try fill(audio, ["features": inputs.sound(frames: frames, layers: states)])

        let motion = inputs.latents(frames: DenoiserConfiguration.motionFrames)
        let size = Framing.Size(width: subject.width, height: subject.height)
        let reference = try Reference.create(
            path: folder + "/reference.safetensors",
            layout: .init(
                channels: motion.channels, height: motion.height, width: motion.width,
                motionFrames: motion.frames),
            framing: Framing(image: size, scaled: size, crop: .init(x: 0, y: 0, size: size)),
            provenance: provenance)
        try fill(
            reference,
            ["reference": inputs.latents(frames: 1).values, "motion": motion.values])
    }

    /// Video frames of a clip.
    private static let clipFrames = 48
    /// Of the video.
    private static let framesPerSecond = 25.0

    private func fill(_ writer: TensorFileWriter, _ tensors: [String: [Float]]) throws {
        for (name, values) in tensors {
            try values.withUnsafeBytes { try writer.write($0, to: name) }
        }
        try writer.commit()
    }
}
