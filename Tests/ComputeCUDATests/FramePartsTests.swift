import Compute
import ComputeCUDA
import Tensors
import Testing

/// Convolutions that are too large for one call of a library.
@Suite struct FramePartsTests {
    /// Ten frames of 1920x1080 with 96 channels are less than 2^31 elements, fourteen more.
    @Test func dividesWhatIsTooLarge() {
        let large = FrameParts(
            x: [14, 1080, 1920, 96], y: [12, 1080, 1920, 96], taps: 3, geometry: .init())
        #expect(
            large.parts == [
                .init(input: 0..<10, output: 0..<8), .init(input: 8..<14, output: 8..<12),
            ])
        let whole = FrameParts(
            x: [12, 720, 1280, 192], y: [12, 720, 1280, 96], taps: 1, geometry: .init())
        #expect(whole.parts == [.init(input: 0..<12, output: 0..<12)])
        // Zeros in front of the first frame are not in front of those of a later part.
        let padded = FrameParts(
            x: [14, 1080, 1920, 96], y: [14, 1080, 1920, 96], taps: 3,
            geometry: .init(leading: .init(2, 1, 1)))
        #expect(padded.parts == [.init(input: 0..<14, output: 0..<14)])
    }

    /// Each output frame sees in its part the frames that it sees of the whole, and parts behind one another are the whole.
    @Test(arguments: [(3, 1, 700), (3, 1, 1), (1, 1, 400), (3, 2, 900), (2, 2, 500)])
    func partsMakeTheWhole(taps: Int, stride: Int, most: Int) {
        let geometry = ConvolutionGeometry(
            stride: .init(stride, 1, 1), leading: .init(0, 1, 1), trailing: .init(0, 1, 1))
        let (x, weight): (Shape, Shape) = ([9, 5, 6, 4], [3, 4, taps, 3, 3])
        let y = geometry.outputShape(input: x, weight: weight)
        let frames = FrameParts(x: x, y: y, taps: taps, geometry: geometry, most: most)
        #expect(frames.parts.count > 1)
        #expect(frames.parts.flatMap(\.output) == Array(0..<y[0]))
        for part in frames.parts {
            let size = max(part.input.count * 5 * 6 * 4, part.output.count * 5 * 6 * 3)
            #expect(size <= most || part.output.count == 1)
            #expect(part.input.lowerBound == part.output.lowerBound * stride)
            #expect(part.input.upperBound <= x[0])
            let input: Shape = [part.input.count, 5, 6, 4]
            #expect(geometry.outputShape(input: input, weight: weight)[0] == part.output.count)
        }
    }
}
