import Compute
import Tensors

// Until the libraries are there.
extension CUDADevice {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws { throw unsupported("linear") }
    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws { throw unsupported("attention") }
    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws { throw unsupported("convolution") }
    func convolutionWeight(_ weight: Tensor) throws -> Tensor { throw unsupported("convolution") }
}
