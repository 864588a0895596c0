import Compute
import Tensors

/// Everything about a convolution that cuDNN's plan depends on, with as few axes as it can be done with.
///
/// Pictures are channels-last and contiguous: [batch, extents..., channels] to [batch, extents..., outputs], by a weight
/// [outputs, kernel..., channels / groups].
package struct ConvolutionProblem: Hashable {
    /// Independent pictures.
    package var batch: Int
    /// Extents of the input along the two or three convolved axes.
    package var input: [Int]
    /// Taps along them.
    package var kernel: [Int]
    /// Steps between outputs.
    package var stride: [Int]
    /// Zeros in front and behind.
    package var leading: [Int]
    package var trailing: [Int]
    /// Channels of the input, of all groups.
    package var channels: Int
    /// Channels of the output, of all groups.
    package var outputs: Int
    /// Independent parts of the channels.
    package var groups: Int
    /// The type of everything but sums.
    package var type: DataType
    /// Whether a bias of that type is added.
    package var hasBias = false
    /// Whether a residual like the output is added.
    package var hasResidual = false

    /// Elements from one pixel, line and so on of the input to the next, outermost first, where it has gaps or overlaps.
    package var steps: [Int]?

    /// Elements from one index of the input to the next, in cuDNN's order.
    package var inputStrides: [Int] {
        let packed = Self.channelsLast(batch: batch, extents: input, channels: channels).strides
        return steps.map { [packed[0], 1] + $0 } ?? packed
    }

    /// What a choice of engine is good for: everything but the pictures' number and extents.
    package var kind: String {
        let taps = kernel.map(String.init).joined(separator: "x")
        let steps = stride.allSatisfy { $0 == 1 } ? "" : " by steps of \(stride)"
        let parts = groups == 1 ? "" : " in \(groups) groups"
        let addends = (hasBias ? " bias" : "") + (hasResidual ? " residual" : "")
        return "convolution \(channels) to \(outputs) \(taps)\(steps)\(parts) \(type)\(addends)"
    }

    /// Extents of the output along the convolved axes.
    package var output: [Int] {
        input.indices.map {
            (input[$0] + leading[$0] + trailing[$0] - kernel[$0]) / stride[$0] + 1
        }
    }

    /// The convolution of pictures [frames, height, width, channels] by `outputs` kernels.
    ///
    /// A kernel of one frame sees independent pictures; one of a single pixel sees lines of frames, so that what is left has two
    /// axes, for which cuDNN has more and faster engines than for three.
    package init(
        pictures: Shape, kernel taps: [Int], channels: Int, outputs: Int,
        geometry: ConvolutionGeometry, type: DataType
    ) {
        let (frames, height, width) = (pictures[0], pictures[1], pictures[2])
        let all = geometry.axes
        batch = 1
        input = [frames, height, width]
        kernel = taps
        (stride, leading, trailing) = (all.stride, all.leading, all.trailing)
        self.channels = channels
        self.outputs = outputs
        groups = geometry.groups
        self.type = type
        if isTrivial(0) {
            batch = frames
            keep([1, 2])
        } else if isTrivial(1), isTrivial(2) {
            // One line of frames for each pixel; a single line is put along the width, the axis that kernels are made for.
            keep([0, 1])
            input[1] = height * width
            if input[1] == 1 { keep([1, 0]) }
        }
    }

    /// Whether an axis is only copied: one tap, one step, no padding.
    private func isTrivial(_ axis: Int) -> Bool {
        kernel[axis] == 1 && stride[axis] == 1 && leading[axis] == 0 && trailing[axis] == 0
    }

    /// Keeps these axes, in this order.
    private mutating func keep(_ axes: [Int]) {
        input = axes.map { input[$0] }
        kernel = axes.map { kernel[$0] }
        stride = axes.map { stride[$0] }
        leading = axes.map { leading[$0] }
        trailing = axes.map { trailing[$0] }
    }

    /// Extents of [batch, extents..., channels] in cuDNN's order, the channels behind the batch, and elements from one
    /// index to the next.
    package static func channelsLast(
        batch: Int, extents: [Int], channels: Int
    ) -> (extents: [Int], strides: [Int]) {
        var strides: [Int] = []
        var step = channels
        for extent in extents.reversed() {
            strides.insert(step, at: 0)
            step *= extent
        }
        return ([batch, channels] + extents, [step, 1] + strides)
    }
}

extension ConvolutionGeometry {
    /// Strides and padding for frames, height and width.
    fileprivate var axes: (stride: [Int], leading: [Int], trailing: [Int]) {
        func list(_ extents: Extents) -> [Int] { [extents.frames, extents.height, extents.width] }
        return (list(stride), list(leading), list(trailing))
    }
}

/// Channels of a convolution's groups, filled up with zeros to what tensor cores take.
package struct ConvolutionChannels: Hashable {
    package let groups: Int
    /// Channels of a group's input.
    package let inputs: Int
    /// Channels of a group's output.
    package let outputs: Int

    /// Channels in an access of 16 bytes of bfloat16.
    package static let granule = 8

    /// Channels of a group's input with the zeros.
    package var paddedInputs: Int { Self.padded(inputs) }
    /// Channels of a group's output with those that are thrown away.
    package var paddedOutputs: Int { Self.padded(outputs) }
    /// Whether nothing is filled up.
    package var areWhole: Bool { inputs == paddedInputs && outputs == paddedOutputs }

    /// Channels of each of `groups` groups.
    package init(groups: Int, inputs: Int, outputs: Int) {
        (self.groups, self.inputs, self.outputs) = (groups, inputs, outputs)
    }

    private static func padded(_ count: Int) -> Int {
        (count + granule - 1) / granule * granule
    }
}
