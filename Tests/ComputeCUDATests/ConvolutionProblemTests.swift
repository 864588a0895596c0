import Compute
import ComputeCUDA
import Tensors
import Testing

/// How convolutions over frames, height and width are put to cuDNN.
@Suite struct ConvolutionProblemTests {
    private typealias Extents = ConvolutionGeometry.Extents

    private func problem(
        _ pictures: Shape, _ kernel: [Int], _ geometry: ConvolutionGeometry = .init()
    ) -> ConvolutionProblem {
        ConvolutionProblem(
            pictures: pictures, kernel: kernel, channels: pictures[3], outputs: 16,
            geometry: geometry, type: .bfloat16)
    }

    @Test func keepsThreeAxesWhereFramesAreMixed() {
        let padding = Extents(0, 1, 1)
        let causal = problem(
            [5, 8, 10, 64], [3, 3, 3], .init(leading: padding, trailing: padding))
        #expect(causal.batch == 1)
        #expect(causal.input == [5, 8, 10])
        #expect(causal.output == [3, 8, 10])
    }

    @Test func takesFramesForABatchOfPictures() {
        let halving = problem(
            [3, 12, 10, 32], [1, 3, 3],
            .init(stride: Extents(1, 2, 2), trailing: Extents(0, 1, 1)))
        #expect(halving.batch == 3)
        #expect(halving.input == [12, 10])
        #expect(halving.kernel == [3, 3])
        #expect(halving.stride == [2, 2])
        #expect(halving.leading == [0, 0])
        #expect(halving.trailing == [1, 1])
        #expect(halving.output == [6, 5])
    }

    @Test func takesPixelsForLinesOfFrames() {
        let frames = problem(
            [6, 5, 7, 32], [3, 1, 1], .init(stride: Extents(2, 1, 1), leading: Extents(1, 0, 0)))
        #expect(frames.batch == 1)
        #expect(frames.input == [6, 35])
        #expect(frames.kernel == [3, 1])
        #expect(frames.output == [3, 35])
    }

    @Test func putsASingleLineAlongTheWidth() {
        let wave = problem([400, 1, 1, 8], [10, 1, 1], .init(stride: Extents(5, 1, 1)))
        #expect(wave.input == [1, 400])
        #expect(wave.kernel == [1, 10])
        #expect(wave.stride == [1, 5])
        #expect(wave.output == [1, 79])
    }

    @Test func keepsFramesThatAreStridedOver() {
        // The kernel has one frame, but not every frame is an output.
        let patches = problem([4, 4, 4, 16], [1, 2, 2], .init(stride: Extents(2, 2, 2)))
        #expect(patches.input == [4, 4, 4])
        #expect(patches.output == [2, 2, 2])
        let padded = problem([4, 4, 4, 16], [1, 2, 2], .init(leading: Extents(1, 0, 0)))
        #expect(padded.output == [5, 3, 3])
    }

    /// The output's extents are those of the waist's page, whatever the axes they were put on.
    @Test(arguments: [
        ([1, 3, 3], Extents(1, 2, 2), Extents(0, 0, 0), Extents(0, 1, 1)),
        ([3, 1, 1], Extents(2, 1, 1), Extents(2, 0, 0), Extents(0, 0, 0)),
        ([3, 3, 3], Extents(1, 1, 1), Extents(0, 1, 1), Extents(0, 1, 1)),
        ([4, 8, 8], Extents(4, 8, 8), Extents(0, 0, 0), Extents(0, 0, 0)),
    ])
    private func hasAsManyOutputs(
        _ kernel: [Int], _ stride: Extents, _ leading: Extents, _ trailing: Extents
    ) {
        let geometry = ConvolutionGeometry(stride: stride, leading: leading, trailing: trailing)
        let input: Shape = [9, 16, 18, 8]
        let problem = problem(input, kernel, geometry)
        let expected = geometry.outputShape(input: input, weight: Shape([16, 8] + kernel))
        #expect(
            problem.batch * problem.output.reduce(1, *) * problem.outputs == expected.elementCount)
    }

    @Test func laysChannelsInnermost() {
        let layout = ConvolutionProblem.channelsLast(batch: 2, extents: [3, 5, 7], channels: 8)
        #expect(layout.extents == [2, 8, 3, 5, 7])
        #expect(layout.strides == [3 * 5 * 7 * 8, 1, 5 * 7 * 8, 7 * 8, 8])
    }

    @Test func fillsChannelsUp() {
        let pixels = ConvolutionChannels(groups: 1, inputs: 3, outputs: 96)
        #expect(pixels.paddedInputs == 8 && pixels.paddedOutputs == 96 && !pixels.areWhole)
        #expect(ConvolutionChannels(groups: 16, inputs: 64, outputs: 64).areWhole)
    }
}
