import COneDNN
import Compute
import Tensors

/// A convolution as oneDNN sees it: a batch of pictures of two or three axes, channels last.
///
/// Axes along which the kernel has the extent 1 are pictures of a batch, or joined with their neighbour, as
/// convolutions over fewer axes are faster.
struct Convolution: Hashable {
    /// Pictures.
    let batch: Int
    /// Extents of a picture, of the kernel and of the result, outermost first.
    let input: [Int]
    let kernel: [Int]
    let output: [Int]
    let stride: [Int]
    let leading: [Int]
    let trailing: [Int]
    let groups: Int
    let inputChannels: Int
    let outputChannels: Int
    let type: DataType
    let outputType: DataType
    let hasBias: Bool
    /// Whether the result is added to what is there.
    let accumulates: Bool

    /// The convolution of x [t, h, w, c] with a weight [o, c / groups, kt, kh, kw] into y.
    init(
        _ x: Tensor, _ weight: Tensor, _ y: Tensor, _ geometry: ConvolutionGeometry,
        hasBias: Bool, accumulates: Bool
    ) {
        let axes = Self.axes(of: x, weight, y, geometry)
        let isPlane = axes[0].isTrivial
        // Frames with a kernel of one frame are a batch; a kernel along the frames alone sees a plane of frames
        // by positions, or of a single line of frames.
        let used: [Axis]
        if isPlane {
            used = [axes[1], axes[2]]
        } else if axes[1].isTrivial && axes[2].isTrivial {
            let positions = Axis.trivial(axes[1].input * axes[2].input)
            used = positions.input == 1 ? [positions, axes[0]] : [axes[0], positions]
        } else {
            used = axes
        }
        batch = isPlane ? x.shape[0] : 1
        input = used.map(\.input)
        kernel = used.map(\.kernel)
        output = used.map(\.output)
        stride = used.map(\.stride)
        leading = used.map(\.leading)
        trailing = used.map(\.trailing)
        groups = geometry.groups
        inputChannels = x.shape[3]
        outputChannels = weight.shape[0]
        type = weight.dataType
        outputType = y.dataType
        self.hasBias = hasBias
        self.accumulates = accumulates
    }

    /// One axis of a picture.
    private struct Axis {
        let input: Int
        let kernel: Int
        let output: Int
        let stride: Int
        let leading: Int
        let trailing: Int

        /// An axis along which nothing is mixed.
        static func trivial(_ extent: Int) -> Axis {
            Axis(input: extent, kernel: 1, output: extent, stride: 1, leading: 0, trailing: 0)
        }

        /// Whether every output sees the input at its own place alone.
        var isTrivial: Bool { kernel == 1 && stride == 1 && leading == 0 && trailing == 0 }
    }

    /// Frames, height and width.
    private static func axes(
        of x: Tensor, _ weight: Tensor, _ y: Tensor, _ geometry: ConvolutionGeometry
    ) -> [Axis] {
        func axis(
            _ index: Int, _ extent: KeyPath<ConvolutionGeometry.Extents, Int>
        ) -> Axis {
            Axis(
                input: x.shape[index], kernel: weight.shape[index + 2], output: y.shape[index],
                stride: geometry.stride[keyPath: extent],
                leading: geometry.leading[keyPath: extent],
                trailing: geometry.trailing[keyPath: extent])
        }
        return [axis(0, \.frames), axis(1, \.height), axis(2, \.width)]
    }
}

extension Convolution {
    /// The extents of the weight in oneDNN's order.
    private var weightExtents: [Int] {
        let channels = [outputChannels / groups, inputChannels / groups]
        return (groups > 1 ? [groups] : []) + channels + kernel
    }

    /// The layout of the weight as it stands in files, [o, c / groups, kt, kh, kw].
    func rowMajorWeight(_ dataType: DataType) throws -> Layout {
        var strides = [1]
        for extent in weightExtents.dropFirst().reversed() {
            strides.insert(strides[0] * extent, at: 0)
        }
        return try Layout(weightExtents, dataType, strides: strides)
    }

    /// The layout of a weight that the primitive may choose.
    func anyWeight() throws -> Layout {
        try Layout(weightExtents, type, strides: nil)
    }

    /// A picture's layout, [batch, channels, ...] in oneDNN's order of extents, channels last in memory.
    private func picture(_ channels: Int, _ extents: [Int], _ dataType: DataType) throws -> Layout {
        var strides = [channels]
        for extent in extents.dropFirst().reversed() { strides.insert(strides[0] * extent, at: 0) }
        let whole = extents.reduce(channels, *)
        return try Layout(
            [batch, channels] + extents, dataType, strides: [whole, 1] + strides)
    }

    /// The convolution with a weight of this layout.
    func describe(weight: Layout, on device: CPUDevice) throws -> PrimitiveDescription {
        let x = try picture(inputChannels, input, type)
        let y = try picture(outputChannels, output, outputType)
        let bias = hasBias ? try Layout([outputChannels], .float32, strides: [1]) : nil
        let numbers = [stride, leading, trailing].map { $0.map(Int64.init) }
        let attributes = try Attributes(sums: accumulates)
        return try PrimitiveDescription(
            "convolve \(type)[\(batch), \(input), \(inputChannels)] with \(kernel)",
            on: device, attributes: attributes
        ) {
            onednn_convolution_create(
                $0, device.oneDNN.engine, x.descriptor, weight.descriptor, bias?.descriptor,
                y.descriptor, numbers[0], numbers[1], numbers[2], $1)
        }
    }

    /// The argument numbers of x, the weight, y and the bias.
    var operands: [Int32] {
        [DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DST_0] + (hasBias ? [DNNL_ARG_BIAS] : [])
    }

    /// The key of the primitive for a weight of this layout.
    func key(_ weight: Layout) -> PrimitiveKey {
        PrimitiveKey(
            kind: "convolution",
            numbers: [batch, groups, inputChannels, outputChannels]
                + input + kernel + output + stride + leading + trailing
                + [hasBias ? 1 : 0, accumulates ? 1 : 0],
            types: [type, outputType], packing: ObjectIdentifier(weight))
    }
}
