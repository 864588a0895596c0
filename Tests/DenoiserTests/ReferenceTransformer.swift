import Denoiser
import Foundation

/// The whole model in float64 with plain loops, written from its description and not from the
/// implementation under test; slow, and only for tiny sizes.
final class ReferenceTransformer {
    let sizes: SyntheticSizes
    let height: Int
    let width: Int
    let clipFrames: Int
    private let weights: [String: [Double]]

    /// Keys and values of one step, layer by layer.
    struct Cache {
        /// Reference and motion, before they are turned.
        var sinkKeys: [Matrix] = []
        var sinkValues: [Matrix] = []
        /// Rows by frame of the clip, turned; empty where nothing was written.
        var keys: [[Matrix]]
        var values: [[Matrix]]
    }

    /// The model of a checkpoint for latents of a size.
    init(_ checkpoint: SyntheticCheckpoint, height: Int, width: Int, clipFrames: Int) {
        sizes = checkpoint.sizes
        weights = checkpoint.weights.mapValues { $0.map(Double.init) }
        self.height = height
        self.width = width
        self.clipFrames = clipFrames
    }

    var frameTokens: Int { height / 2 * (width / 2) }
    var epsilon: Double { Double(Float(sizes.epsilon)) }

    func emptyCache() -> Cache {
        let empty = [[Matrix]](
            repeating: [Matrix](repeating: [], count: clipFrames), count: sizes.layers)
        return Cache(keys: empty, values: empty)
    }

    /// A weight by its name in the checkpoint.
    func weight(_ name: String) -> [Double] {
        guard let weight = weights[name] else { fatalError("no weight '\(name)'") }
        return weight
    }

    func linear(_ x: Matrix, _ name: String) -> Matrix {
        DenoiserTests.linear(x, weight("\(name).weight"), weight("\(name).bias"))
    }
}

// MARK: - Embeddings

extension ReferenceTransformer {
    /// A convolution whose stride is its kernel, over some frames of [channels, frames, h, w].
    private func patches(
        _ latents: Latents, frames: Range<Int>, kernel: (Int, Int, Int), _ name: String
    ) -> Matrix {
        let (kt, kh, kw) = kernel
        var rows: Matrix = []
        for t in stride(from: frames.lowerBound, through: frames.upperBound - kt, by: kt) {
            for y in stride(from: 0, through: height - kh, by: kh) {
                for x in stride(from: 0, through: width - kw, by: kw) {
                    var row: [Double] = []
                    for c in 0..<sizes.channels {
                        for dt in 0..<kt {
                            for dy in 0..<kh {
                                for dx in 0..<kw {
                                    row.append(value(latents, c, t + dt, y + dy, x + dx))
                                }
                            }
                        }
                    }
                    rows.append(row)
                }
            }
        }
        return linear(rows, name)
    }

    /// One latent; frames in front of the first are zeros.
    private func value(_ latents: Latents, _ c: Int, _ t: Int, _ y: Int, _ x: Int) -> Double {
        guard t >= 0 else { return 0 }
        return Double(
            latents.values[((c * latents.frames + t) * height + y) * width + x])
    }

    private func marked(_ x: Matrix, row: Int) -> Matrix {
        let mark = weight("trainable_cond_mask.weight")[row * sizes.dim..<(row + 1) * sizes.dim]
        return x.map { zip($0, mark).map { $0 + $1 } }
    }

    /// The vector [dim] and the six modulations [6 dim] of a timestep.
    private func time(_ t: Float) -> (vector: [Double], modulations: [Double]) {
        let half = sizes.frequency / 2
        let angles = (0..<half).map { Double(t) * pow(10000, -Double($0) / Double(half)) }
        let sinusoid = (angles.map(cos) + angles.map(sin)).map { Double(Float($0)) }
        let hidden = linear([sinusoid], "time_embedding.0").map { $0.map(silu) }
        let vector = linear(hidden, "time_embedding.2")
        let modulations = linear(vector.map { $0.map(silu) }, "time_projection.1")
        return (vector[0], modulations[0])
    }

    private func text(_ context: [Float]) -> Matrix {
        let padded =
            context.map(Double.init)
            + [Double](
                repeating: 0, count: sizes.textTokens * sizes.textDim - context.count)
        let rows = (0..<sizes.textTokens).map {
            Array(padded[$0 * sizes.textDim..<($0 + 1) * sizes.textDim])
        }
        let hidden = linear(rows, "text_embedding.0").map { $0.map(geluTanh) }
        return linear(hidden, "text_embedding.2")
    }
}

// MARK: - Places

extension ReferenceTransformer {
    private func grid(frames: [Int], rows: [Int], columns: [Int]) -> [Place] {
        var places: [Place] = []
        for frame in frames {
            for row in rows {
                for column in columns {
                    places.append(Place(frame: frame, row: row, column: column))
                }
            }
        }
        return places
    }

    private func places(frames: [Int]) -> [Place] {
        grid(
            frames: frames, rows: Array(0..<height / 2), columns: Array(0..<width / 2))
    }

    /// `count` positions from 0 to last, evenly spaced and cut to integers.
    private func spread(to last: Int, count: Int) -> [Int] {
        (0..<count).map {
            $0 == 0
                ? 0
                : $0 == count - 1
                    ? last : Int((Double($0) * (Double(last) / Double(count - 1))).rounded(.down))
        }
    }

    private func sinkPlaces(rollout: Int) -> [Place] {
        func motion(_ frames: [Int], _ side: Int) -> [Place] {
            grid(
                frames: frames, rows: spread(to: height / 2 - 1, count: height / side),
                columns: spread(to: width / 2 - 1, count: width / side))
        }
        return places(frames: [30 + rollout]) + motion([-1], 2) + motion([-3], 4)
            + motion([-19, -14, -9, -4], 8)
    }
}

// MARK: - Blocks

extension ReferenceTransformer {
    /// One block's projections of x: queries and keys normed over the full width.
    private func project(_ x: Matrix, _ name: String) -> (q: Matrix, k: Matrix, v: Matrix) {
        func normed(_ part: String) -> Matrix {
            rmsNorm(
                linear(x, "\(name).\(part)"), weight("\(name).norm_\(part).weight"),
                epsilon: epsilon)
        }
        return (normed("q"), normed("k"), linear(x, "\(name).v"))
    }

    /// LN(x) (1 + scale) + shift with rows of the six modulations of a block.
    private func modulated(_ x: Matrix, _ m: [[Double]], shift: Int, scale: Int) -> Matrix {
        layerNorm(x, epsilon: epsilon).map { row in
            row.indices.map { row[$0] * (1 + m[scale][$0]) + m[shift][$0] }
        }
    }

    private func gated(_ x: Matrix, _ y: Matrix, _ gate: [Double]) -> Matrix {
        sum(x, y.map { zip($0, gate).map { $0 * $1 } })
    }

    /// One block; `attend` is given queries, keys and values before they are turned.
    private func block(
        _ x: Matrix, layer: Int, modulations: [Double], text: Matrix,
        attend: (Matrix, Matrix, Matrix) -> Matrix
    ) -> Matrix {
        let name = "blocks.\(layer)"
        let own = weight("\(name).modulation")
        let m = (0..<6).map { part in
            (0..<sizes.dim).map {
                own[part * sizes.dim + $0] + modulations[part * sizes.dim + $0]
            }
        }
        let parts = project(modulated(x, m, shift: 0, scale: 1), "\(name).self_attn")
        let attended = attend(parts.q, parts.k, parts.v)
        var x = gated(x, linear(attended, "\(name).self_attn.o"), m[2])
        x = sum(x, crossAttention(x, text: text, name))
        let hidden = linear(modulated(x, m, shift: 3, scale: 4), "\(name).ffn.0")
        return gated(x, linear(hidden.map { $0.map(geluTanh) }, "\(name).ffn.2"), m[5])
    }

    private func crossAttention(_ x: Matrix, text: Matrix, _ name: String) -> Matrix {
        let (scale, shift) = (weight("\(name).norm3.weight"), weight("\(name).norm3.bias"))
        let normed = layerNorm(x, epsilon: epsilon).map { row in
            row.indices.map { row[$0] * scale[$0] + shift[$0] }
        }
        let (q, k, v) = (
            project(normed, "\(name).cross_attn").q, project(text, "\(name).cross_attn").k,
            linear(text, "\(name).cross_attn.v")
        )
        return linear(attention(q, k, v, heads: sizes.heads), "\(name).cross_attn.o")
    }

    /// Takes reference and motion through the blocks and keeps their keys and values.
    func prefill(
        _ cache: inout Cache, reference: Latents, motion: Latents, context: [Float]
    ) {
        let end = motion.frames
        let packed =
            patches(motion, frames: end - 1..<end, kernel: (1, 2, 2), "frame_packer.proj")
            + patches(motion, frames: end - 3..<end - 1, kernel: (2, 4, 4), "frame_packer.proj_2x")
            + patches(
                motion, frames: end - 19..<end - 3, kernel: (4, 8, 8), "frame_packer.proj_4x")
        let image = patches(reference, frames: 0..<1, kernel: (1, 2, 2), "patch_embedding")
        var x = marked(image, row: 1) + marked(packed, row: 2)
        let (text, modulations) = (text(context), time(0).modulations)
        cache.sinkKeys = []
        cache.sinkValues = []
        let places = sinkPlaces(rollout: 0)
        for layer in 0..<sizes.layers {
            x = block(x, layer: layer, modulations: modulations, text: text) { q, k, v in
                cache.sinkKeys.append(k)
                cache.sinkValues.append(v)
                return attention(
                    rotate(q, places, heads: sizes.heads), rotate(k, places, heads: sizes.heads),
                    v, heads: sizes.heads)
            }
        }
    }

    /// The velocity of a block at latent frame `frame`; each actor's features are [12, layers,
    /// features], each mask [3 frames' tokens].
    func velocity(
        _ noisy: NoisyBlock, features: [[Float]], masks: [[Float]]?, context: [Float],
        cache: inout Cache
    ) -> [Double] {
        var x = patches(noisy.latents, frames: 0..<3, kernel: (1, 2, 2), "patch_embedding")
        let pose =
            noisy.pose
            ?? Latents(channels: sizes.channels, frames: 3, height: height, width: width)
        x = sum(x, patches(pose, frames: 0..<3, kernel: (1, 2, 2), "cond_encoder"))
        x = marked(x, row: 0)
        let rollout = max(0, noisy.frame - (30 - noisy.sinkDistance))
        let (own, sink) = (
            places(frames: [0, 1, 2].map { noisy.frame + $0 }), sinkPlaces(rollout: rollout)
        )
        let (vector, modulations) = time(noisy.timestep)
        let sounds = features.map(sound)
        let text = text(context)
        for layer in 0..<sizes.layers {
            x = block(x, layer: layer, modulations: modulations, text: text) { q, k, v in
                let turned = rotate(k, own, heads: sizes.heads)
                for frame in 0..<3 {
                    let slot = (noisy.frame + frame) % clipFrames
                    let rows = frame * frameTokens..<(frame + 1) * frameTokens
                    cache.keys[layer][slot] = Array(turned[rows])
                    cache.values[layer][slot] = Array(v[rows])
                }
                let sinkKeys = rotate(cache.sinkKeys[layer], sink, heads: sizes.heads)
                return attention(
                    rotate(q, own, heads: sizes.heads),
                    cache.keys[layer].flatMap(\.self) + sinkKeys,
                    cache.values[layer].flatMap(\.self) + cache.sinkValues[layer],
                    heads: sizes.heads)
            }
            if let index = sizes.injected.firstIndex(of: layer) {
                x = inject(sounds, masks: masks, index: index, into: x)
            }
        }
        return head(x, vector: vector)
    }

    private func head(_ x: Matrix, vector: [Double]) -> [Double] {
        let own = weight("head.modulation")
        let y = layerNorm(x, epsilon: epsilon).map { row in
            row.indices.map {
                row[$0] * (1 + own[sizes.dim + $0] + vector[$0]) + own[$0] + vector[$0]
            }
        }
        let tokens = linear(y, "head.head")
        var velocity: [Double] = []
        for c in 0..<sizes.channels {
            for frame in 0..<3 {
                for row in 0..<height {
                    for column in 0..<width {
                        let token =
                            frame * frameTokens + row / 2 * (width / 2) + column / 2
                        let place = row % 2 * 2 + column % 2
                        velocity.append(tokens[token][place * sizes.channels + c])
                    }
                }
            }
        }
        return velocity
    }
}

// MARK: - Sound

extension ReferenceTransformer {
    /// Local tokens [3][n + 1][dim] and global ones [3][dim] of features [12, layers, features].
    private func sound(_ features: [Float]) -> (local: [Matrix], global: Matrix) {
        let mixing = weight("casual_audio_encoder.weights").map(silu)
        let sum = mixing.reduce(0, +)
        var frames = (0..<12).map { frame in
            (0..<sizes.audioDim).map { feature in
                mixing.indices.reduce(0) {
                    let index = (frame * mixing.count + $1) * sizes.audioDim + feature
                    return $0 + mixing[$1] * Double(features[index]) / sum
                }
            }
        }
        frames = Matrix(repeating: frames[0], count: 73) + frames
        let encoder = "casual_audio_encoder.encoder"
        let first = convolve(frames, "\(encoder).conv1_local.conv", stride: 1)
        let quarter = sizes.dim / 4
        let tokens = (0..<sizes.audioTokens).map { token in
            encode(first.map { Array($0[token * quarter..<(token + 1) * quarter]) })
        }
        let local = (0..<3).map { frame in
            tokens.map { $0[$0.count - 3 + frame] } + [weight("\(encoder).padding_tokens")]
        }
        let global = encode(convolve(frames, "\(encoder).conv1_global.conv", stride: 1))
        return (local, linear(Array(global.suffix(3)), "\(encoder).final_linear"))
    }

    private func encode(_ x: Matrix) -> Matrix {
        var x = x
        func activate() { x = layerNorm(x, epsilon: 1e-6).map { $0.map(silu) } }
        activate()
        for name in ["conv2", "conv3"] {
            x = convolve(x, "casual_audio_encoder.encoder.\(name).conv", stride: 2)
            activate()
        }
        return x
    }

    /// Three taps, the first step standing for what was before it.
    private func convolve(_ x: Matrix, _ name: String, stride step: Int) -> Matrix {
        let (kernel, bias) = (weight("\(name).weight"), weight("\(name).bias"))
        let channels = x[0].count
        return stride(from: 0, to: x.count, by: step).map { time in
            bias.indices.map { output in
                var sum = bias[output]
                for tap in 0..<3 {
                    let row = x[max(0, time + tap - 2)]
                    for channel in 0..<channels {
                        sum += row[channel] * kernel[(output * channels + channel) * 3 + tap]
                    }
                }
                return sum
            }
        }
    }

    /// Adds every actor's sound to the tokens.
    private func inject(
        _ sounds: [(local: [Matrix], global: Matrix)], masks: [[Float]]?, index: Int,
        into x: Matrix
    ) -> Matrix {
        let name = "audio_injector.injector.\(index)"
        let adain = "audio_injector.injector_adain_layers.\(index).linear"
        var result = x
        for (actor, sound) in sounds.enumerated() {
            let modulations = linear(sound.global.map { $0.map(silu) }, adain)
            for frame in 0..<3 {
                let rows = frame * frameTokens..<(frame + 1) * frameTokens
                let m = modulations[frame]
                let y = layerNorm(Array(x[rows]), epsilon: 1e-5).map { row in
                    row.indices.map { row[$0] * (1 + m[sizes.dim + $0]) + m[$0] }
                }
                let (q, tokens) = (project(y, name).q, sound.local[frame])
                let heard = attention(
                    q, project(tokens, name).k, linear(tokens, "\(name).v"),
                    heads: sizes.heads)
                for (row, share) in zip(rows, linear(heard, "\(name).o")) {
                    let mask = Double(masks?[actor][row] ?? 1)
                    for channel in share.indices {
                        result[row][channel] += mask * share[channel]
                    }
                }
            }
        }
        return result
    }
}
