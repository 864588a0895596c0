import Compute
import Tensors

// Attention in float8_e4m3, one scale for each operand.
extension CUDADevice {
    /// By the kernel of this room where it is made for the card and the shape; else in the activations' type, from copies of the
    /// operands.
    func attendScaled(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        let areScaled = [query, key, value, out].allSatisfy {
            $0.dataType == .float8E4M3 && $0.scales != nil && !$0.hasScaledRows
        }
        guard areScaled, bias == nil else {
            throw unsupported("attention of \(query.dataType) with a bias or scales for rows")
        }
        guard
            try !attendByKernel(query: query, key: key, value: value, scale: scale, into: out)
        else { return }
        precondition(!value.isTiled, "tiles that were not asked for")
        let wide = try allocate(out.shape, activationType)
        try attention(
            query: widened(query), key: widened(key), value: widened(value), scale: scale,
            bias: nil, into: wide)
        try copy(wide, into: out)
    }
}
