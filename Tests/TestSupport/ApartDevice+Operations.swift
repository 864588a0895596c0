import Compute
import Tensors

// Every operation, later.
extension ApartDevice {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) {
        perform { [base] in
            try base.linear(
                x, weight: weight, bias: bias, activation: activation, accumulating: accumulating,
                into: y)
        }
    }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) {
        perform { [base] in
            try base.attention(
                query: query, key: key, value: value, scale: scale, bias: bias, into: out)
        }
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) {
        perform { [base] in
            try base.convolution(
                x, weight: weight, bias: bias, geometry: geometry, residual: residual, into: y)
        }
    }

    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) {
        perform { [base] in
            try base.layerNorm(
                x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon,
                into: y)
        }
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) {
        perform { [base] in
            try base.rmsNorm(x, weight: weight, epsilon: epsilon, rotation: rotation, into: y)
        }
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) {
        perform { [base] in try base.rotate(x, by: table, into: y) }
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) {
        perform { [base] in
            try base.channelNorm(x, weight: weight, activation: activation, into: y)
        }
    }

    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) {
        perform { [base] in try base.activate(x, activation, into: y) }
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) {
        perform { [base] in try base.multiply(activating: x, activation, by: factor, into: y) }
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) {
        perform { [base] in
            try base.add(x, addend, gate: gate, mask: mask, alpha: alpha, into: y)
        }
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) {
        perform { [base] in try base.affine(x, scale: scale, shift: shift, into: y) }
    }

    public func copy(_ x: Tensor, into y: Tensor) {
        perform { [base] in try base.copy(x, into: y) }
    }

    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) {
        perform { [base] in try base.permute(x, axes: axes, into: y) }
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) {
        perform { [base] in try base.gather(table, rows: indices, into: y) }
    }

    public func upsample(_ x: Tensor, into y: Tensor) {
        perform { [base] in try base.upsample(x, into: y) }
    }

    public func quantizePixels(_ x: Tensor, into y: Tensor) {
        perform { [base] in try base.quantizePixels(x, into: y) }
    }
}
