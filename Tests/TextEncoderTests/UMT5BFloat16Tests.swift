import Checkpoints
import ComputeCPU
import Tensors
import TestSupport
import Testing
import TextEncoder

/// The tiny checkpoint with bfloat16 weights and activations, where the processor multiplies them.
@Suite(.enabled(if: CPUDevice.isSupported(.bfloat16))) struct UMT5BFloat16Tests {
    /// Observed: 0.019 of values up to 3.3.
    @Test func staysNearFloat32() throws {
        let goldens = try TensorFile(path: Fixtures.path("open/goldens/text_encoder.safetensors"))
        let folder = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let encoder = try UMT5Encoder(WeightBinder(folder.textEncoder()))
        let device = try CPUDevice(activationType: .bfloat16)
        let golden = try goldens.tensor("ascii.context")
        let tokens = try goldens.tensor("ascii.ids").floats().prefix(golden.shape[0])
        let context = try encoder.encode(tokens.map { Int32($0) }, on: device)
        #expect(context.dataType == .float32)
        let expected = golden.floats()
        let difference = try largestDifference(device.floats(context), expected)
        #expect(difference < 0.1, "\(difference)")
    }
}
