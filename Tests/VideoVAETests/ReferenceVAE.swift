import Foundation

/// Pictures over time, channels first: [channels, frames, height, width].
struct Volume {
    let channels: Int
    let frames: Int
    let height: Int
    let width: Int
    var values: [Double]

    init(_ channels: Int, _ frames: Int, _ height: Int, _ width: Int, values: [Double]? = nil) {
        self.channels = channels
        self.frames = frames
        self.height = height
        self.width = width
        let count = channels * frames * height * width
        self.values = values ?? Array(repeating: 0, count: count)
        precondition(self.values.count == count)
    }

    func index(_ c: Int, _ t: Int, _ y: Int, _ x: Int) -> Int {
        ((c * frames + t) * height + y) * width + x
    }

    /// The value, zero outside the volume.
    subscript(c: Int, t: Int, y: Int, x: Int) -> Double {
        t < 0 || t >= frames || y < 0 || y >= height || x < 0 || x >= width
            ? 0 : values[index(c, t, y, x)]
    }

    /// A volume of that shape made value by value.
    static func make(
        _ channels: Int, _ frames: Int, _ height: Int, _ width: Int,
        _ value: (Int, Int, Int, Int) -> Double
    ) -> Volume {
        var result = Volume(channels, frames, height, width)
        for c in 0..<channels {
            for t in 0..<frames {
                for y in 0..<height {
                    for x in 0..<width {
                        result.values[result.index(c, t, y, x)] = value(c, t, y, x)
                    }
                }
            }
        }
        return result
    }

    /// These frames, in this order.
    func frames(_ indices: [Int]) -> Volume {
        .make(channels, indices.count, height, width) { self[$0, indices[$1], $2, $3] }
    }

    static func + (a: Volume, b: Volume) -> Volume {
        Volume(a.channels, a.frames, a.height, a.width, values: zip(a.values, b.values).map(+))
    }
}

/// The VAE by the book, in float64 and over whole videos at once: no streams, no histories. It shares
/// nothing with the model but the names of weights.
struct ReferenceVAE {
    let weights: SeededWeights
    let width: Int

    private func numbers(_ path: String) -> [Double] { weights.floats(path).map(Double.init) }

    /// A convolution padded with zeros: `front` frames before the first, and `above` rows and columns
    /// around; a time stride is for the caller to choose frames.
    private func convolution(
        _ x: Volume, _ path: String, to output: Int, kernel: (Int, Int, Int), stride: Int = 1,
        above: Int, size: (Int, Int)
    ) -> Volume {
        let (weight, bias) = (numbers(path + ".weight"), numbers(path + ".bias"))
        return .make(output, x.frames, size.0, size.1) { o, t, y, z in
            var sum = bias[o]
            for c in 0..<x.channels {
                for i in 0..<kernel.0 {
                    for j in 0..<kernel.1 {
                        for k in 0..<kernel.2 {
                            let tap =
                                (((o * x.channels + c) * kernel.0 + i) * kernel.1 + j) * kernel.2
                                + k
                            sum +=
                                weight[tap]
                                * x[
                                    c, t + i - kernel.0 + 1, y * stride + j - above,
                                    z * stride + k - above]
                        }
                    }
                }
            }
            return sum
        }
    }

    private func causal(_ x: Volume, _ path: String, to output: Int) -> Volume {
        convolution(
            x, path, to: output, kernel: (3, 3, 3), above: 1, size: (x.height, x.width))
    }

    private func pointwise(_ x: Volume, _ path: String, to output: Int) -> Volume {
        convolution(x, path, to: output, kernel: (1, 1, 1), above: 0, size: (x.height, x.width))
    }

    private func inTime(_ x: Volume, _ path: String, to output: Int) -> Volume {
        convolution(x, path, to: output, kernel: (3, 1, 1), above: 0, size: (x.height, x.width))
    }

    private func norm(_ x: Volume, _ path: String, silu: Bool) -> Volume {
        let gamma = numbers(path + ".gamma")
        var result = x
        for t in 0..<x.frames {
            for y in 0..<x.height {
                for z in 0..<x.width {
                    let places = (0..<x.channels).map { x.index($0, t, y, z) }
                    let length = sqrt(places.reduce(0) { $0 + x.values[$1] * x.values[$1] })
                    for (c, place) in places.enumerated() {
                        let value =
                            x.values[place] / max(length, 1e-12) * sqrt(Double(x.channels))
                            * gamma[c]
                        result.values[place] = silu ? value / (1 + exp(-value)) : value
                    }
                }
            }
        }
        return result
    }

    private func residual(_ x: Volume, _ path: String, to output: Int) -> Volume {
        let a = causal(norm(x, path + ".residual.0", silu: true), path + ".residual.2", to: output)
        let b = causal(norm(a, path + ".residual.3", silu: true), path + ".residual.6", to: output)
        return b + (x.channels == output ? x : pointwise(x, path + ".shortcut", to: output))
    }

    private func attention(_ x: Volume, _ path: String) -> Volume {
        let joined = pointwise(
            norm(x, path + ".norm", silu: false), path + ".to_qkv", to: 3 * x.channels)
        var mixed = Volume(x.channels, x.frames, x.height, x.width)
        let positions = (0..<x.height).flatMap { y in (0..<x.width).map { (y, $0) } }
        for t in 0..<x.frames {
            for (y, z) in positions {
                let powers = positions.map { other in
                    let score = (0..<x.channels).reduce(0) {
                        $0 + joined[$1, t, y, z] * joined[x.channels + $1, t, other.0, other.1]
                    }
                    return exp(score / sqrt(Double(x.channels)))
                }
                let sum = powers.reduce(0, +)
                for c in 0..<x.channels {
                    mixed.values[mixed.index(c, t, y, z)] = zip(positions, powers).reduce(0) {
                        $0 + joined[2 * x.channels + c, t, $1.0.0, $1.0.1] * $1.1 / sum
                    }
                }
            }
        }
        return x + pointwise(mixed, path + ".proj", to: x.channels)
    }

    private func middle(_ x: Volume, _ path: String) -> Volume {
        let y = attention(residual(x, path + ".0", to: x.channels), path + ".1")
        return residual(y, path + ".2", to: x.channels)
    }
}

extension ReferenceVAE {
    /// Video [3, 1 + 4k, H, W] to normalised latents.
    func encode(_ video: Volume) -> Volume {
        let levels = [1, 2, 4, 4].map { $0 * width }
        var x = causal(video, "encoder.conv1", to: width)
        var index = 0
        for (level, channels) in levels.enumerated() {
            for _ in 0..<2 {
                x = residual(x, "encoder.downsamples.\(index)", to: channels)
                index += 1
            }
            guard level < 3 else { continue }
            x = down(x, "encoder.downsamples.\(index)", inTime: level > 0)
            index += 1
        }
        x = middle(x, "encoder.middle")
        x = causal(norm(x, "encoder.head.0", silu: true), "encoder.head.2", to: 32)
        x = pointwise(x, "conv1", to: 32)
        return .make(16, x.frames, x.height, x.width) {
            (x[$0, $1, $2, $3] - Self.mean[$0]) / Self.deviation[$0]
        }
    }

    /// Normalised latents to video, not clamped.
    func decode(_ latents: Volume) -> Volume {
        var x = Volume.make(16, latents.frames, latents.height, latents.width) {
            latents[$0, $1, $2, $3] * Self.deviation[$0] + Self.mean[$0]
        }
        x = causal(pointwise(x, "conv2", to: 16), "decoder.conv1", to: 4 * width)
        x = middle(x, "decoder.middle")
        var index = 0
        for (level, channels) in [4, 4, 2, 1].map({ $0 * width }).enumerated() {
            for _ in 0..<3 {
                x = residual(x, "decoder.upsamples.\(index)", to: channels)
                index += 1
            }
            guard level < 3 else { continue }
            x = up(x, "decoder.upsamples.\(index)", inTime: level < 2)
            index += 1
        }
        return causal(norm(x, "decoder.head.0", silu: true), "decoder.head.2", to: 3)
    }

    /// Frame 0, then one frame of every three that overlap by one: (0, 1, 2), (2, 3, 4), ...
    private func down(_ x: Volume, _ path: String, inTime: Bool) -> Volume {
        let y = convolution(
            x, path + ".resample.1", to: x.channels, kernel: (1, 3, 3), stride: 2, above: 0,
            size: (x.height / 2, x.width / 2))
        guard inTime else { return y }
        let mixed = self.inTime(y, path + ".time_conv", to: y.channels)
        return .make(y.channels, 1 + (y.frames - 1) / 2, y.height, y.width) {
            $1 == 0 ? y[$0, 0, $2, $3] : mixed[$0, 2 * $1, $2, $3]
        }
    }

    /// Frame 0 once; every later one twice, by a convolution that takes frame 0 for zeros.
    private func up(_ x: Volume, _ path: String, inTime: Bool) -> Volume {
        var y = x
        if inTime {
            let mixed = self.inTime(
                x.frames(Array(1..<x.frames)), path + ".time_conv", to: 2 * x.channels)
            y = .make(x.channels, 2 * x.frames - 1, x.height, x.width) {
                $1 == 0
                    ? x[$0, 0, $2, $3]
                    : mixed[$0 + ($1 - 1) % 2 * x.channels, ($1 - 1) / 2, $2, $3]
            }
        }
        let large = Volume.make(y.channels, y.frames, 2 * y.height, 2 * y.width) {
            y[$0, $1, $2 / 2, $3 / 2]
        }
        return convolution(
            large, path + ".resample.1", to: y.channels / 2, kernel: (1, 3, 3), above: 1,
            size: (large.height, large.width))
    }

    private static let mean = [
        -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715,
        0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
    ]
    private static let deviation = [
        2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652,
        1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
    ]
}
