import Compute
import Tensors

/// The parts in which a convolution of many large pictures is done, as most of cuDNN's engines count elements in 32 bits: at 1920x1080
/// a decoder's block has more.
package struct FrameParts {
    /// Frames of the input and those of the output that follow from them.
    package struct Part: Hashable {
        package let input: Range<Int>
        package let output: Range<Int>

        package init(input: Range<Int>, output: Range<Int>) {
            self.input = input
            self.output = output
        }
    }

    /// From front to back.
    package let parts: [Part]

    /// The parts of a convolution of x [frames, height, width, channels] to y by a kernel of so many frames, neither of more than
    /// `most` elements; a single one where that is enough, or where frames of zeros are added.
    package init(
        x: Shape, y: Shape, taps: Int, geometry: ConvolutionGeometry, most: Int = Int(Int32.max)
    ) {
        let stride = geometry.stride.frames
        func inputs(_ outputs: Range<Int>) -> Range<Int> {
            outputs.lowerBound * stride..<(outputs.upperBound - 1) * stride + taps
        }
        let isWhole = max(x.elementCount, y.elementCount) <= most
        guard !isWhole, geometry.leading.frames == 0, geometry.trailing.frames == 0 else {
            parts = [Part(input: 0..<x[0], output: 0..<y[0])]
            return
        }
        let frame = (x: x.elementCount / x[0], y: y.elementCount / y[0])
        let length = max(1, min((most / frame.x - taps) / stride + 1, most / frame.y))
        parts = Swift.stride(from: 0, to: y[0], by: length).map {
            let output = $0..<min($0 + length, y[0])
            return Part(input: inputs(output), output: output)
        }
    }
}
