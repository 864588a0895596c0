import Compute
import Foundation
import Tensors

extension ReferenceDevice {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) {
        let (rows, inner, columns) = (x.shape[0], x.shape[1], weight.shape[0])
        let (weights, biases) = (values(weight), bias.map(values))
        let inputs = inputs(x, of: weight)
        let before = accumulating ? values(y) : nil
        var out = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = biases?[column] ?? 0
                for k in 0..<inner {
                    sum += inputs[row * inner + k] * weights[column * inner + k]
                }
                let index = row * columns + column
                out[index] = activated(sum, activation) + (before?[index] ?? 0)
            }
        }
        store(out, in: y)
    }

    /// What a product reads of x: rounded to the weight's type if that has scales and x has none.
    private func inputs(_ x: Tensor, of weight: Tensor) -> [Double] {
        guard weight.scales != nil, x.scales == nil, x.shape.elementCount > 0 else {
            return values(x)
        }
        return NarrowRows(values(x), width: x.shape[1], weight.dataType).values
    }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) {
        let (batch, queries, heads, head) = (
            query.shape[0], query.shape[1], query.shape[2], query.shape[3]
        )
        let keys = key.shape[1]
        let (q, k, v, b) = (values(query), values(key), values(value), bias.map(values))
        var result = [Double](repeating: 0, count: out.shape.elementCount)
        for sequence in 0..<batch {
            for h in 0..<heads {
                for row in 0..<queries {
                    let place = ((sequence * queries + row) * heads + h) * head
                    let keyPlace = { (index: Int) in ((sequence * keys + index) * heads + h) * head
                    }
                    var scores = (0..<keys).map { index in
                        let product = (0..<head).reduce(0.0) {
                            $0 + q[place + $1] * k[keyPlace(index) + $1]
                        }
                        return product * Double(scale)
                            + (b?[(h * queries + row) * keys + index] ?? 0)
                    }
                    let largest = scores.max() ?? 0
                    scores = scores.map { exp($0 - largest) }
                    let total = scores.reduce(0, +)
                    for index in 0..<keys {
                        for d in 0..<head {
                            result[place + d] += scores[index] / total * v[keyPlace(index) + d]
                        }
                    }
                }
            }
        }
        store(result, in: out)
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) {
        let (inputs, weights) = (values(x), values(weight))
        let (biases, residuals) = (bias.map(values), residual.map(values))
        let perGroup = (weight.shape[1], weight.shape[0] / geometry.groups)
        let (extents, kernel, out) = (x.shape, weight.shape, y.shape)
        let taps = (0..<kernel[2]).flatMap { t in
            (0..<kernel[3]).flatMap { h in (0..<kernel[4]).map { (t: t, h: h, w: $0) } }
        }
        var result: [Double] = []
        for t in 0..<out[0] {
            for h in 0..<out[1] {
                for w in 0..<out[2] {
                    for o in 0..<out[3] {
                        var sum = (biases?[o] ?? 0) + (residuals?[result.count] ?? 0)
                        for (index, tap) in taps.enumerated() {
                            let from = (
                                t * geometry.stride.frames - geometry.leading.frames + tap.t,
                                h * geometry.stride.height - geometry.leading.height + tap.h,
                                w * geometry.stride.width - geometry.leading.width + tap.w
                            )
                            guard 0..<extents[0] ~= from.0, 0..<extents[1] ~= from.1,
                                0..<extents[2] ~= from.2
                            else { continue }
                            let place = (from.0 * extents[1] + from.1) * extents[2] + from.2
                            let first = place * extents[3] + o / perGroup.1 * perGroup.0
                            for c in 0..<perGroup.0 {
                                sum +=
                                    inputs[first + c]
                                    * weights[(o * perGroup.0 + c) * taps.count + index]
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        store(result, in: y)
    }
}

/// The activation in float64.
func activated(_ x: Double, _ activation: Activation) -> Double {
    switch activation {
    case .identity: x
    case .silu: x / (1 + exp(-x))
    case .gelu: x * erfc(-x / 2.0.squareRoot()) / 2
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
}
