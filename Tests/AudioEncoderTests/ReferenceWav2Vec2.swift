import AudioEncoder
import Foundation
import TestSupport

/// wav2vec 2.0 written down plainly in float64, one number after the other, to judge the one that runs
/// on devices. It shares nothing with it but the struct of sizes.
struct ReferenceWav2Vec2 {
    let weights: SeededWeights
    let sizes: Wav2Vec2Configuration

    /// All hidden states of a recording, [state][step][channel].
    func states(_ samples: [Double]) -> [[[Double]]] {
        let mean = samples.reduce(0, +) / Double(samples.count)
        let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(samples.count)
        let input = samples.map { [($0 - mean) / sqrt(variance + 1e-7)] }
        var x = projected(features(input))
        x = sum(x, positions(x))
        var states: [[[Double]]] = []
        for layer in 0..<sizes.layers {
            let scope = "wav2vec2.encoder.layers.\(layer)."
            states.append(x)
            x = sum(x, attention(x.map { normalized($0, scope + "layer_norm") }, scope))
            x = sum(x, x.map { feedForward(normalized($0, scope + "final_layer_norm"), scope) })
        }
        return states + [x.map { normalized($0, "wav2vec2.encoder.layer_norm") }]
    }

    private func features(_ samples: [[Double]]) -> [[Double]] {
        var x = samples
        for (index, layer) in sizes.convolutions.enumerated() {
            let scope = "wav2vec2.feature_extractor.conv_layers.\(index)."
            let weight = weights.doubles(scope + "conv.weight")
            let bias =
                sizes.hasConvolutionBias
                ? weights.doubles(scope + "conv.bias")
                : [Double](repeating: 0, count: layer.channels)
            let inputs = x[0].count
            x = stride(from: 0, through: x.count - layer.kernel, by: layer.stride).map { start in
                let y = (0..<layer.channels).map { channel -> Double in
                    var value = bias[channel]
                    for input in 0..<inputs {
                        for tap in 0..<layer.kernel {
                            let place = (channel * inputs + input) * layer.kernel + tap
                            value += weight[place] * x[start + tap][input]
                        }
                    }
                    return value
                }
                return normalized(y, scope + "layer_norm", epsilon: 1e-5).map(gelu)
            }
        }
        return x
    }

    private func projected(_ x: [[Double]]) -> [[Double]] {
        x.map {
            product(
                normalized($0, "wav2vec2.feature_projection.layer_norm"),
                "wav2vec2.feature_projection.projection")
        }
    }

    /// As the released code has it: padded by half of the taps on both sides, and with an even number of
    /// taps one output too many, which goes.
    private func positions(_ x: [[Double]]) -> [[Double]] {
        let scope = "wav2vec2.encoder.pos_conv_embed.conv."
        let lengths = weights.doubles(scope + "weight_g")
        let direction = weights.doubles(scope + "weight_v")
        let bias = weights.doubles(scope + "bias")
        let (hidden, kernel) = (sizes.hiddenSize, sizes.positionalKernel)
        let width = hidden / sizes.positionalGroups
        let norms = (0..<kernel).map { tap in
            sqrt(
                stride(from: tap, to: direction.count, by: kernel).reduce(0) {
                    $0 + direction[$1] * direction[$1]
                })
        }
        return x.indices.map { step in
            (0..<hidden).map { channel in
                let group = channel / width
                var value = bias[channel]
                for tap in 0..<kernel where x.indices.contains(step + tap - kernel / 2) {
                    for input in 0..<width {
                        let place = (channel * width + input) * kernel + tap
                        value +=
                            lengths[tap] * direction[place] / norms[tap]
                            * x[step + tap - kernel / 2][group * width + input]
                    }
                }
                return gelu(value)
            }
        }
    }

    private func attention(_ x: [[Double]], _ scope: String) -> [[Double]] {
        let query = x.map { product($0, scope + "attention.q_proj") }
        let key = x.map { product($0, scope + "attention.k_proj") }
        let value = x.map { product($0, scope + "attention.v_proj") }
        let width = sizes.hiddenSize / sizes.heads
        return x.indices.map { i in
            let joined = (0..<sizes.heads).flatMap { head -> [Double] in
                let channels = head * width..<(head + 1) * width
                let scores = x.indices.map { j in
                    channels.reduce(0) { $0 + query[i][$1] * key[j][$1] } / sqrt(Double(width))
                }
                let powers = scores.map { exp($0 - scores.max()!) }
                let sum = powers.reduce(0, +)
                return channels.map { c in
                    x.indices.reduce(0) { $0 + powers[$1] / sum * value[$1][c] }
                }
            }
            return product(joined, scope + "attention.out_proj")
        }
    }

    private func feedForward(_ x: [Double], _ scope: String) -> [Double] {
        let inner = product(x, scope + "feed_forward.intermediate_dense").map(gelu)
        return product(inner, scope + "feed_forward.output_dense")
    }

    private func normalized(_ x: [Double], _ name: String, epsilon: Double? = nil) -> [Double] {
        let count = Double(x.count)
        let mean = x.reduce(0, +) / count
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let deviation = sqrt(variance + (epsilon ?? Double(sizes.layerNormEpsilon)))
        let (weight, bias) = (weights.doubles(name + ".weight"), weights.doubles(name + ".bias"))
        return x.indices.map { (x[$0] - mean) / deviation * weight[$0] + bias[$0] }
    }

    private func product(_ x: [Double], _ name: String) -> [Double] {
        let (weight, bias) = (weights.doubles(name + ".weight"), weights.doubles(name + ".bias"))
        return bias.indices.map { row in
            x.indices.reduce(bias[row]) { $0 + x[$1] * weight[row * x.count + $1] }
        }
    }

    private func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }

    private func sum(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        zip(a, b).map { zip($0, $1).map(+) }
    }
}
