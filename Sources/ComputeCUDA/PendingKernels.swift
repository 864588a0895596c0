import Compute
import Tensors

// Until the kernels are there.
extension CUDADevice {
    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?, epsilon: Float,
        into y: Tensor
    ) throws { throw unsupported("layerNorm") }
    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws { throw unsupported("rmsNorm") }
    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        throw unsupported("rotate")
    }
    public func channelNorm(_ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor)
        throws
    { throw unsupported("channelNorm") }
    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        throw unsupported("activate")
    }
    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws { throw unsupported("multiply") }
    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws { throw unsupported("add") }
    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        throw unsupported("affine")
    }
    public func copy(_ x: Tensor, into y: Tensor) throws { throw unsupported("copy") }
    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        throw unsupported("permute")
    }
    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        throw unsupported("gather")
    }
    public func upsample(_ x: Tensor, into y: Tensor) throws { throw unsupported("upsample") }
    public func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        throw unsupported("quantizePixels")
    }
}
