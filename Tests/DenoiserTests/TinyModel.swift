import ComputeCPU
import Conformance
import Tensors
import TestSupport

/// The tiny published checkpoint on the CPU in float32.
typealias TinyModel = GoldenDenoiser

/// The tiny models and what they must compute.
let goldenFolder = GoldenFolder(path: Fixtures.path("open"))

/// Opens a file of goldens.
func golden(_ name: String) throws -> TensorFile { try goldenFolder.file(name) }

extension TinyModel {
    /// The tiny model without its LoRA.
    init() throws { try self.init(goldenFolder, lora: false, on: CPUDevice()) }
}

extension GoldenInputs {
    /// The inputs of the denoising goldens.
    static func denoise() throws -> GoldenInputs { try GoldenInputs(golden("denoise")) }
}
