import Foundation
import Tensors
import TestSupport

/// The sizes of a checkpoint that nobody published.
struct SyntheticSizes: Sendable {
    var dim = 80
    var heads = 4
    var feedForward = 112
    var layers = 4
    var frequency = 24
    var channels = 6
    var textTokens = 40
    var textDim = 28
    var audioDim = 20
    var audioLayers = 5
    var audioTokens = 3
    var injected = [1, 3]
    var epsilon = 1e-5
    var shards = 3

    /// Another set of sizes: three heads of two channels, one layer that hears, one shard.
    static let smallest = SyntheticSizes(
        dim: 12, heads: 3, feedForward: 20, layers: 2, frequency: 8, channels: 4, textTokens: 9,
        textDim: 10, audioDim: 6, audioLayers: 2, audioTokens: 1, injected: [0], epsilon: 1e-6,
        shards: 1)
}

/// A published layout of these sizes with random weights, the same for a seed.
struct SyntheticCheckpoint {
    let sizes: SyntheticSizes
    /// Elements by name; all are float32.
    let weights: [String: [Float]]
    private let shapes: [(name: String, shape: [Int])]

    /// Draws every weight; large enough for errors in any part to be seen in the latents.
    init(_ sizes: SyntheticSizes = SyntheticSizes(), seed: UInt64 = 1) {
        self.sizes = sizes
        shapes = Self.shapes(of: sizes)
        var random = NormalNumbers(seed: seed)
        var weights: [String: [Float]] = [:]
        for (name, shape) in shapes {
            let count = shape.reduce(1, *)
            let isNorm = name.contains("norm") && name.hasSuffix("weight")
            let fan = shape.dropFirst().reduce(1, *)
            let isMatrix = shape.count > 1 && name.hasSuffix(".weight") && fan > 1
            let scale = isMatrix ? 1 / Double(fan).squareRoot() : 0.2
            weights[name] = (0..<count).map { _ in
                Float((isNorm ? 1 : 0) + scale * random.next())
            }
        }
        self.weights = weights
    }

    /// Writes `config.json`, the shards and their index into a folder.
    func write(to folder: String) throws {
        try write(configuration, to: "\(folder)/config.json")
        var map: [String: String] = [:]
        for shard in 0..<sizes.shards {
            let file = "diffusion_pytorch_model-\(shard + 1)-of-\(sizes.shards).safetensors"
            // A block's tensors are spread over all shards.
            let names = shapes.indices.filter { $0 % sizes.shards == shard }
            let views = names.map { view(shapes[$0].name, shapes[$0].shape) }
            try TensorFileWriter.write(views, to: "\(folder)/\(file)")
            for index in names { map[shapes[index].name] = file }
        }
        try write(
            ["weight_map": map],
            to: "\(folder)/diffusion_pytorch_model.safetensors.index.json")
    }

    private func write(_ object: [String: Any], to path: String) throws {
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
    }

    private func view(_ name: String, _ shape: [Int]) -> TensorView {
        let data = NSData(data: (weights[name] ?? []).withUnsafeBytes { Data($0) })
        return TensorView(
            name: name, dataType: .float32, shape: Shape(shape),
            bytes: UnsafeRawBufferPointer(start: data.bytes, count: data.length), owner: data)
    }

    private var configuration: [String: Any] {
        [
            "model_type": "s2v", "adain_mode": "attn_norm", "framepack_drop_mode": "padd",
            "enable_adain": true, "zero_timestep": true, "enable_framepack": true,
            "add_last_motion": true, "enable_motioner": false, "dim": sizes.dim,
            "ffn_dim": sizes.feedForward, "num_heads": sizes.heads, "num_layers": sizes.layers,
            "freq_dim": sizes.frequency, "in_dim": sizes.channels, "out_dim": sizes.channels,
            "text_len": sizes.textTokens, "audio_dim": sizes.audioDim,
            "num_audio_token": sizes.audioTokens, "audio_inject_layers": sizes.injected,
            "eps": sizes.epsilon,
        ]
    }
}

extension SyntheticCheckpoint {
    /// Every tensor of the published layout: semantics of the released checkpoints' names.
    private static func shapes(of sizes: SyntheticSizes) -> [(name: String, shape: [Int])] {
        let (dim, channels) = (sizes.dim, sizes.channels)
        var shapes: [(name: String, shape: [Int])] = []
        func add(_ name: String, _ shape: [Int]) { shapes.append((name, shape)) }
        func linear(_ name: String, _ output: Int, _ input: Int...) {
            add("\(name).weight", [output] + input)
            add("\(name).bias", [output])
        }
        func attention(_ name: String) {
            for part in ["q", "k", "v", "o"] { linear("\(name).\(part)", dim, dim) }
            for part in ["norm_q", "norm_k"] { add("\(name).\(part).weight", [dim]) }
        }
        linear("patch_embedding", dim, channels, 1, 2, 2)
        linear("cond_encoder", dim, channels, 1, 2, 2)
        linear("text_embedding.0", dim, sizes.textDim)
        linear("text_embedding.2", dim, dim)
        linear("time_embedding.0", dim, sizes.frequency)
        linear("time_embedding.2", dim, dim)
        linear("time_projection.1", 6 * dim, dim)
        for layer in 0..<sizes.layers {
            add("blocks.\(layer).modulation", [1, 6, dim])
            attention("blocks.\(layer).self_attn")
            attention("blocks.\(layer).cross_attn")
            linear("blocks.\(layer).norm3", dim)
            linear("blocks.\(layer).ffn.0", sizes.feedForward, dim)
            linear("blocks.\(layer).ffn.2", dim, sizes.feedForward)
        }
        add("head.modulation", [1, 2, dim])
        linear("head.head", 4 * channels, dim)
        add("trainable_cond_mask.weight", [3, dim])
        linear("frame_packer.proj", dim, channels, 1, 2, 2)
        linear("frame_packer.proj_2x", dim, channels, 2, 4, 4)
        linear("frame_packer.proj_4x", dim, channels, 4, 8, 8)
        add("casual_audio_encoder.weights", [1, sizes.audioLayers, 1, 1])
        let encoder = "casual_audio_encoder.encoder"
        add("\(encoder).padding_tokens", [1, 1, 1, dim])
        linear("\(encoder).conv1_local.conv", dim / 4 * sizes.audioTokens, sizes.audioDim, 3)
        linear("\(encoder).conv1_global.conv", dim / 4, sizes.audioDim, 3)
        linear("\(encoder).conv2.conv", dim / 2, dim / 4, 3)
        linear("\(encoder).conv3.conv", dim, dim / 2, 3)
        linear("\(encoder).final_linear", dim, dim)
        for index in sizes.injected.indices {
            attention("audio_injector.injector.\(index)")
            linear("audio_injector.injector_adain_layers.\(index).linear", 2 * dim, dim)
        }
        return shapes
    }
}

/// Normal numbers, the same for a seed: SplitMix64 and Box-Muller.
struct NormalNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Double {
        let (u, v) = (uniform(), uniform())
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }

    /// So many as float32.
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float(next()) } }

    /// Above 0, at most 1.
    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        word ^= word >> 31
        return (Double(word >> 11) + 1) * 0x1p-53
    }
}
