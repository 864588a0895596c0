import Compute
import Layers
import Tensors

/// What wav2vec 2.0 has in place of position embeddings: a wide grouped convolution of the projected
/// features, added to them. Its weight is stored as a direction and a length for each tap.
///
/// Source of the factors: Salimans and Kingma, arXiv:1602.07868, equation 2, here with one length per
/// tap, over both channel axes.
package final class PositionalConvolution {
    /// conv.weight_g [1, 1, kernel], or conv.parametrizations.weight.original0 in newer files
    let magnitude: Parameter
    /// conv.weight_v [hidden, hidden / groups, kernel], or conv.parametrizations.weight.original1
    let direction: Parameter
    /// conv.bias [hidden]
    let bias: Parameter
    /// Zeros on both sides, so that there are as many outputs as inputs, and groups.
    let geometry: ConvolutionGeometry

    /// The weight made of the factors, on the host for as long as on the device.
    private var product: TensorView?
    private var weight: Tensor?

    /// The layer at `scope`; the factors are used on the host alone.
    init(_ scope: WeightScope, _ configuration: Wav2Vec2Configuration) {
        let (hidden, kernel) = (configuration.hiddenSize, configuration.positionalKernel)
        let width = hidden / configuration.positionalGroups
        let isNewer = scope.shape(of: "conv.parametrizations.weight.original0") != nil
        let names =
            isNewer
            ? ("conv.parametrizations.weight.original0", "conv.parametrizations.weight.original1")
            : ("conv.weight_g", "conv.weight_v")
        magnitude = scope.parameter(names.0, [1, 1, kernel])
        direction = scope.parameter(names.1, [hidden, width, kernel])
        bias = scope.parameter("conv.bias", [hidden])
        // The released code pads both sides by half of the taps and, if these are even, drops the last
        // output: the same as one zero fewer at the end.
        geometry = ConvolutionGeometry(
            leading: .init(kernel / 2, 0, 0), trailing: .init(kernel - 1 - kernel / 2, 0, 0),
            groups: configuration.positionalGroups)
    }

    /// Bytes of the weights in the device's memory.
    func byteCount(activationType: DataType) -> Int {
        direction.shape.elementCount * activationType.size
            + bias.shape.elementCount * DataType.float32.size
    }

    /// Makes the weight of its factors and brings it into the device's memory, unless it is there.
    func load(on device: any Device) throws {
        guard weight == nil else { return }
        let shape = direction.shape
        let product = HostFloats(
            try Self.product(magnitude: magnitude.floats(), direction: direction.floats())
        ).view(name: direction.paths[0], shape: [shape[0], shape[1], shape[2], 1, 1])
        weight = try device.load(
            [product], as: device.activationType, for: .convolution(groups: geometry.groups))
        self.product = product
        try bias.load(on: device)
    }

    /// Lets go of the device's memory.
    func unload() {
        (weight, product) = (nil, nil)
        bias.unload()
    }

    /// gelu(convolution(x)) for x float32 [steps, hidden], in the activation type.
    package func callAsFunction(_ x: Tensor, on device: any Device) throws -> Tensor {
        guard let weight else { preconditionFailure("used before it is loaded") }
        let shape: Shape = [x.shape[0], 1, 1, x.shape[1]]
        let input =
            x.dataType == device.activationType ? x : try device.cast(x, to: device.activationType)
        let y = try device.allocate(shape, device.activationType)
        try device.convolution(
            input.reshaped(shape), weight: weight, bias: bias.tensor, geometry: geometry,
            residual: nil, into: y)
        try device.activate(y, .gelu, into: y)
        return y.reshaped(x.shape)
    }

    /// magnitude [kernel] * direction [.., kernel] / ‖direction‖, the length being that of each tap.
    static func product(magnitude: [Float], direction: [Float]) -> [Float] {
        let kernel = magnitude.count
        var squares = [Double](repeating: 0, count: kernel)
        for index in direction.indices {
            squares[index % kernel] += Double(direction[index]) * Double(direction[index])
        }
        let factors = zip(magnitude, squares).map { Double($0) / $1.squareRoot() }
        return direction.indices.map { Float(Double(direction[$0]) * factors[$0 % kernel]) }
    }
}

/// Floats on the host that a view can keep alive.
private final class HostFloats {
    private let elements: UnsafeMutableBufferPointer<Float>

    init(_ values: [Float]) {
        elements = .allocate(capacity: values.count)
        _ = elements.initialize(from: values)
    }

    deinit { elements.deallocate() }

    /// The elements as a float32 tensor.
    func view(name: String, shape: Shape) -> TensorView {
        TensorView(
            name: name, dataType: .float32, shape: shape, bytes: UnsafeRawBufferPointer(elements),
            owner: self)
    }
}
