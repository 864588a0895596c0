import Tensors

/// The waist: all that a model may ask of a processor. Models are written once against this page.
///
/// Every operation writes into a tensor that the caller gives, and says which shapes it takes; it
/// may run later than the call returns, but in the order of the calls. `synchronize` and `read` wait.
/// Operations throw what their device cannot do, or has no memory for; shapes that do not fit trap.
///
/// Conventions: sequences are tokens-major, [tokens, dim]; pictures are channels-last, [frames, height,
/// width, channels]. Inputs and outputs are float32 or bfloat16; sums, statistics and everything
/// between input and output are float32. Parameters named weight, bias, scale, shift, gate and table
/// that do not say otherwise are float32.
///
/// Tensors of 8 bits have scales (`ScaledStorage`). What writes into one with a scale for each row chooses the scales, the
/// largest element of a row becoming the largest number of the type; one scale for all is given beforehand, and what is beyond
/// the largest number becomes that. Operations on them may throw where a device or its model has no use for them.
public protocol Device: AnyObject {
    /// The name as in `--device`.
    var name: String { get }
    /// The type in which models keep activations here.
    var activationType: DataType { get }
    /// The type in which models keep their large matrices here: that of activations, or of 8 bits.
    var matrixType: DataType { get }

    // MARK: Memory

    /// Memory for a tensor, its elements undefined.
    func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor

    /// A tensor in the device's memory with the elements of `views` stacked along the outermost axis,
    /// converted to `dataType` and laid out for `use`. The views must outlive the tensor. A weight of `linear` may be
    /// loaded in 8 bits, with a scale for each row.
    func load(_ views: [TensorView], as dataType: DataType, for use: TensorUse) throws -> Tensor

    /// A weight [n, k] of `linear` whose 8-bit numbers and scales [n], float32, were stored: both are stacked along the
    /// outermost axis.
    func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor

    /// Memory for the x [rows, k] of `linear` with this weight, in the form in which its product reads it: of the activation
    /// type, or of 8 bits with a scale for each row.
    func allocateInput(rows: Int, of weight: Tensor) throws -> Tensor

    /// Whether `attention` reads values of float8_e4m3 with heads of this width fastest in tiles (`Tensor.isTiled`).
    /// Only `copy` and `linear` write such a tensor, in whole tiles, and only `attention` of one sequence reads it.
    func wantsTiledValues(head: Int) -> Bool

    /// Copies `bytes` from the host into a contiguous tensor.
    func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws

    /// Sets every element of a contiguous tensor to zero.
    func clear(_ tensor: Tensor) throws

    /// Waits for a contiguous tensor and copies it to the host.
    func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws

    /// Waits until everything asked for is done.
    func synchronize() throws

    // MARK: Products

    /// y [m, n] = activation(x [m, k] weightᵀ + bias [n]), added to what y holds if `accumulating`.
    /// `weight` [n, k] was loaded for `.linear`; x and y may be ranges of columns. With a weight of 8 bits x is rounded to
    /// its type, each row by a scale of its own, unless it has scales already.
    func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor) throws

    /// out [batch, queries, heads, d] = softmax(scale q kᵀ + bias) v for each head, where q is like out, k and v
    /// are [batch, keys, heads, d] and bias is [heads, queries, keys]. All may be float8_e4m3 with one scale each.
    func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor)
        throws

    /// y [t', h', w', o] = x [t, h, w, c] convolved with `weight` + bias [o] (+ residual, like y or y itself).
    /// `weight` [o, c / groups, kt, kh, kw] was loaded for `.convolution`.
    func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor) throws

    // MARK: Norms

    /// y = (x - mean) / sqrt(variance + epsilon) over the last axis of [rows, dim], then * weight [dim]
    /// + bias [dim], then * (1 + scale) + shift, both [groups, dim] for groups of successive rows.
    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor) throws

    /// y = x / sqrt(mean(x²) + epsilon) * weight over the last axis of [rows, dim]; then, with a table
    /// [rows, head / 2, 2] of (cos, sin), each successive pair of each head turned by it.
    func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor) throws

    /// y [rows, heads, head] = x with each successive pair turned by a table [rows, head / 2, 2] of (cos, sin).
    func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws

    /// y = x / max(‖x‖, 1e-12) * sqrt(channels) * weight [channels] over the last axis, then the activation.
    func channelNorm(_ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor) throws

    // MARK: Elementwise

    /// y = activation(x).
    func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws

    /// y = activation(x) * factor, all of one shape.
    func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor) throws

    /// y = x + alpha * addend * gate * mask, where x [rows, dim] may be y; addend and gate are [groups, dim] for
    /// groups of successive rows, and mask [rows] is one number a row.
    func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor)
        throws

    /// y = x * scale + shift over the last axis, both [channels].
    func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws

    // MARK: Movement

    /// y = x, converted to y's type; both may be strided, and either may have scales.
    func copy(_ x: Tensor, into y: Tensor) throws

    /// y [..] with y's axis i being x's axis `axes[i]`; x may be strided, y is contiguous.
    func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws

    /// y [count, dim] = the rows of table [rows, dim] that `indices` (int32, [count]) name.
    func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws

    /// y [t, 2h, 2w, c] = x [t, h, w, c] with every position doubled in height and width; if y is [2t, 2h, 2w,
    /// c / 2], frame 2j has the first half of the channels of x's frame j, and frame 2j + 1 the second.
    func upsample(_ x: Tensor, into y: Tensor) throws

    /// y (uint8) = trunc(clamp((x + 1) / 2, 0, 1) * 255), all of one shape.
    func quantizePixels(_ x: Tensor, into y: Tensor) throws
}

/// What a loaded tensor is for, so that a device may lay it out accordingly.
public enum TensorUse: Sendable {
    /// Any operation, row-major.
    case elements
    /// The weight [n, k] of `linear`.
    case linear
    /// The weight [o, c / groups, kt, kh, kw] of `convolution` with this many groups.
    case convolution(groups: Int)
}

/// A function applied to each element.
public enum Activation: Hashable, Sendable, CaseIterable {
    /// x.
    case identity
    /// x * sigmoid(x).
    case silu
    /// x * Phi(x), Phi being the normal distribution's.
    case gelu
    /// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))).
    case geluTanh
}

/// Strides, zero padding and groups of a convolution over frames, height and width.
public struct ConvolutionGeometry: Hashable, Sendable {
    /// One number for each of frames, height and width.
    public struct Extents: Hashable, Sendable {
        public var frames: Int
        public var height: Int
        public var width: Int

        /// One number for each axis.
        public init(_ frames: Int, _ height: Int, _ width: Int) {
            self.frames = frames
            self.height = height
            self.width = width
        }
    }

    /// Steps between outputs.
    public var stride = Extents(1, 1, 1)
    /// Zeros in front of the first frame, above and to the left.
    public var leading = Extents(0, 0, 0)
    /// Zeros behind the last frame, below and to the right.
    public var trailing = Extents(0, 0, 0)
    /// Channels are split into this many independent groups.
    public var groups = 1

    /// A convolution with these strides, padding and groups.
    public init(
        stride: Extents = Extents(1, 1, 1), leading: Extents = Extents(0, 0, 0),
        trailing: Extents = Extents(0, 0, 0), groups: Int = 1
    ) {
        self.stride = stride
        self.leading = leading
        self.trailing = trailing
        self.groups = groups
    }

    /// The shape of the output for an input [t, h, w, c] and a weight [o, c / groups, kt, kh, kw].
    public func outputShape(input: Shape, weight: Shape) -> Shape {
        func extent(_ axis: Int, _ pad: Int, _ stride: Int) -> Int {
            (input[axis] + pad - weight[axis + 2]) / stride + 1
        }
        return [
            extent(0, leading.frames + trailing.frames, stride.frames),
            extent(1, leading.height + trailing.height, stride.height),
            extent(2, leading.width + trailing.width, stride.width),
            weight[0],
        ]
    }
}

/// An operation that a device does not offer, or not for these types.
public struct UnsupportedOperation: Error, CustomStringConvertible {
    /// The device's name.
    public let device: String
    /// The operation and what about it is not offered.
    public let operation: String

    /// An operation that `device` does not offer.
    public init(device: String, operation: String) {
        self.device = device
        self.operation = operation
    }

    public var description: String { "\(device) does not offer \(operation)" }
}
