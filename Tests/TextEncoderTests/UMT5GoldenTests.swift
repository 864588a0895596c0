import Checkpoints
import Compute
import ComputeCPU
import Tensors
import TestSupport
import Testing
import TextEncoder

/// The tiny checkpoint against what the released code makes of it (text_encoder.safetensors).
@Suite struct UMT5GoldenTests {
    private let goldens: TensorFile
    private let encoder: UMT5Encoder

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/text_encoder.safetensors"))
        let folder = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let weights = WeightBinder(try folder.textEncoder())
        encoder = try UMT5Encoder(weights)
        _ = try weights.finish(strict: true)
    }

    private func golden(_ name: String) throws -> [Float] { try goldens.tensor(name).floats() }

    @Test func bucketsAreExact() throws {
        let distances = try golden("rel_pos").map { Int($0) }
        let buckets = try golden("rel_bucket").map { Int($0) }
        #expect(distances.map(encoder.bucket(of:)) == buckets)
        #expect(distances == Array(-511...511))
    }

    @Test func positionBiasIsExact() throws {
        let device = try CPUDevice()
        let bias = try encoder.positionBias(ofBlock: 0, length: 40, on: device)
        #expect(bias.shape == [4, 40, 40])
        #expect(try device.floats(bias) == golden("block0.pos_bias_40x40"))
    }

    /// Observed: embedding 0; blocks at most 2.1e-6. Contexts are cases of Conformance.
    @Test(arguments: ["ascii", "chinese", "special_tokens"])
    func blocksAgree(prompt: String) throws {
        let device = try CPUDevice()
        let length = Int(try golden("\(prompt).mask").reduce(0, +))
        let tokens = try golden("\(prompt).ids").prefix(length).map { Int32($0) }
        func check(_ block: Int, _ x: Tensor) throws {
            let name = block < 0 ? "\(prompt).embed" : "\(prompt).block\(block)"
            let difference = try largestDifference(device.floats(x), golden(name))
            #expect(difference <= (block < 0 ? 0 : 1e-5), "\(name): \(difference)")
        }
        let context = try encoder.encode(
            tokens, on: device, keepingWeights: false, monitor: { _ in }, observer: check)
        #expect(context.shape == [length, encoder.sizes.dim])
    }

    @Test func keepingWeightsChangesNothing() throws {
        let device = try CPUDevice()
        let tokens: [Int32] = [5, 9, 300, 1]
        let once = try device.floats(encoder.encode(tokens, on: device))
        for _ in 0..<2 {
            let again = try encoder.encode(tokens, on: device, keepingWeights: true)
            #expect(try device.floats(again) == once)
        }
    }
}
