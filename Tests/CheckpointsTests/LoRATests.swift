import Checkpoints
import Tensors
import TestSupport
import Testing

/// A LoRA merged into the tiny denoiser, and the ways in which one can fail to fit.
@Suite struct LoRATests {
    let folder = TemporaryFolder()
    let denoiser: any Checkpoint

    init() throws {
        denoiser = try WeightFolder(path: Fixtures.path("open/ckpt")).denoiser()
    }

    @Test func mergesLikeTheReleasedCode() throws {
        let path = try WeightFolder.adapterPath(at: Fixtures.path("open/ckpt"))
        let merged = try MergedCheckpoint(denoiser, LoRA(path: path), strict: true)
        #expect(merged.changedCount == 38)
        let goldens = try TensorFile(path: Fixtures.path("open/goldens/denoise.safetensors"))
        let prefix = "lora.merged."
        let expected = goldens.views.filter { $0.name.hasPrefix(prefix) }
        #expect(expected.count == 3)
        for golden in expected {
            let name = String(golden.name.dropFirst(prefix.count))
            let (found, wanted) = (try merged.tensor(name).floats(), golden.floats())
            let published = try denoiser.tensor(name).floats()
            let error = zip(found, wanted).map { abs($0 - $1) }.max() ?? .infinity
            // Seen: 1.5e-8, one unit in the last place.
            #expect(error < 1e-7, "\(name) differs by \(error)")
            #expect(published != found)
        }
    }
}
