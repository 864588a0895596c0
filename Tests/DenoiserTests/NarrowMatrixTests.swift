import Checkpoints
import Compute
import ComputeCPU
import Conformance
import Denoiser
import Layers
import Tensors
import TestSupport
import Testing

/// Large matrices in 8 bits: which they are, and what rounding them and their inputs costs.
@Suite struct NarrowMatrixTests {
    /// What is prepared in 8 bits is what is asked for so, no more and no less.
    @Test func matricesAreWhatIsPrepared() throws {
        let (transformer, weights) = try StructureTests().transformer()
        let matrices = transformer.parameters.filter { $0.type == .matrix }.flatMap(\.paths)
        let prepared = weights.checkpoint.tensors.filter(PreparedPrecision.isLarge).map(\.name)
        #expect(matrices.sorted() == prepared.sorted())
        #expect(matrices.count == 40 * 10 + 12 * 4)
    }

    /// An error relative to the length of what the released code computes in float32, of a pass or of all latents, each
    /// behind four steps, of three clips.
    struct Loss: Sendable {
        let type: DataType
        let golden: String
        /// With a scale for each row of x and each channel of the weight.
        let byRow: Double
        /// With one scale for each of both, as the released code has them.
        let byTensor: Double
    }

    /// As observed.
    static let losses = [
        Loss(type: .int8, golden: "first.velocity", byRow: 0.0066, byTensor: 0.0128),
        Loss(type: .int8, golden: "lora.first.velocity", byRow: 0.0070, byTensor: 0.0123),
        Loss(type: .int8, golden: "denoise latents", byRow: 0.0046, byTensor: 0.0085),
        Loss(type: .int8, golden: "denoise lora.latents", byRow: 0.0045, byTensor: 0.0080),
        Loss(type: .float8E4M3, golden: "first.velocity", byRow: 0.0255, byTensor: 0.0270),
        Loss(type: .float8E4M3, golden: "lora.first.velocity", byRow: 0.0254, byTensor: 0.0316),
        Loss(type: .float8E4M3, golden: "denoise latents", byRow: 0.0186, byTensor: 0.0194),
        Loss(type: .float8E4M3, golden: "denoise lora.latents", byRow: 0.0173, byTensor: 0.0204),
    ]

    /// Scales by row and channel lose less than scales by tensor.
    @Test(arguments: losses) func scalesByRowLoseLess(loss: Loss) throws {
        let golden = try #require(
            GoldenCase.denoiser.first { $0.name == "denoiser/\(loss.golden)" })
        let byRow = try golden.relativeError(goldenFolder, on: CPUDevice(matrixType: loss.type))
        let byTensor = try golden.relativeError(
            goldenFolder, on: PerTensorDevice(CPUDevice(matrixType: loss.type)))
        #expect(byRow < byTensor)
        for (error, observed) in [(byRow, loss.byRow), (byTensor, loss.byTensor)] {
            // Another processor sums in another order, which moves numbers across a step here and there.
            #expect(abs(error / observed - 1) < 0.1, "\(loss.golden) in \(loss.type)")
        }
    }
}
