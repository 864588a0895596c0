import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// LoRAs merged into weights, and the ways in which one can fail to fit.
@Suite struct LoRATests {
    let folder = TemporaryFolder()

    @Test func mergesLikeTheReleasedCode() throws {
        let weights = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let denoiser = try weights.denoiser()
        let path = try WeightFolder.adapterPath(at: Fixtures.path("open/ckpt"))
        let merged = try MergedCheckpoint(denoiser, LoRA(path: path), strict: true)
        #expect(merged.changedCount == 38)
        let goldens = try TensorFile(path: Fixtures.path("open/goldens/denoise.safetensors"))
        let prefix = "lora.merged."
        let expected = goldens.views.filter { $0.name.hasPrefix(prefix) }
        #expect(expected.count == 3)
        for golden in expected {
            let name = String(golden.name.dropFirst(prefix.count))
            let found = try merged.tensor(name).floats()
            let error = zip(found, golden.floats()).map { abs($0 - $1) }.max() ?? .infinity
            // Seen: 3.0e-8, the last place of numbers below 0.5.
            #expect(error < 1e-7, "\(name) differs by \(error)")
            #expect(try denoiser.tensor(name).floats() != found)
        }
    }

    @Test(arguments: ["plain", "peft", "diffusion"])
    func knowsTheNamesOfEveryTrainer(kind: String) throws {
        let base = try TensorFile(path: Fixtures.path("readers/lora-base.safetensors"))
        let lora = try LoRA(path: Fixtures.path("readers/lora-\(kind).safetensors"))
        #expect(throws: BindingError.self) { try MergedCheckpoint(base, lora, strict: true) }
        let merged = try MergedCheckpoint(base, lora, strict: false)
        #expect(merged.changedCount == 2)
        #expect(merged.warnings.count == 1)
        #expect(merged.warnings[0].contains("elsewhere.weight' has no counterpart in"))
        for line in try ListedTensor.lines(of: "lora-merged.tsv") {
            let tensor = try merged.tensor(line.cells[0])
            #expect(tensor.descriptor == base.descriptor(of: tensor.name))
            #expect(tensor.doubles() == line.numbers(2), "\(tensor.name)")
        }
    }

    @Test func givesRowsInFloat32() throws {
        let base = try TensorFile(path: Fixtures.path("readers/lora-base.safetensors"))
        let lora = try LoRA(path: Fixtures.path("readers/lora-plain.safetensors"))
        let merged = try MergedCheckpoint(base, lora, strict: false)
        for name in ["block.q.weight", "head.bias", "other"] {
            let rounded = try merged.tensor(name)
            let sum = Total()
            try merged.withRows(of: name) { rows, floats in sum.add(rows, floats) }
            #expect(sum.rows == rounded.shape[0])
            let error = abs(sum.value - rounded.doubles().reduce(0, +))
            // bfloat16 keeps 8 bits of numbers below 4.
            #expect(error < 12 * 4 / 256, "\(name)")
        }
    }

    /// Writes a file of float32 tensors of these shapes, all ones.
    private func write(_ tensors: [(String, Shape)], _ dataType: DataType = .float32) throws
        -> String
    {
        let path = folder.path("lora.safetensors")
        try TensorFileWriter(
            path: path,
            tensors: tensors.map {
                TensorDescriptor(name: $0.0, dataType: dataType, shape: $0.1)
            }
        ).commit()
        return path
    }

    @Test func refusesFactorsThatDoNotMeet() throws {
        let cases: [([(String, Shape)], String)] = [
            ([("m.lora_A.weight", [2, 3])], "'m.lora_A.weight' lacks its partner (lora_B)"),
            ([("m.lora_B.weight", [2, 3])], "'m.lora_B.weight' lacks its partner (lora_A)"),
            (
                [("m.lora_A.weight", [2, 3]), ("m.lora_B.weight", [4, 5])],
                "'m.lora_B.weight' has rank 5, its partner 'm.lora_A.weight' 2"
            ),
            (
                [("m.lora_A.weight", [2, 3, 1]), ("m.lora_B.weight", [4, 2])],
                "'m.lora_A.weight' is float32 [2, 3, 1], expected a float matrix"
            ),
            (
                [("m.lora_A.weight", [0, 3]), ("m.lora_B.weight", [4, 0])],
                "expected a float matrix"
            ),
            (
                [("m.lora_A.weight", [2, 3]), ("m.lora_A.default.weight", [2, 3])],
                "stands there twice"
            ),
        ]
        for (tensors, reason) in cases {
            let path = try write(tensors)
            let error = #expect(throws: TensorFileError.self) { try LoRA(path: path) }
            #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        }
    }

    @Test func refusesWhatDoesNotFitTheWeights() throws {
        let base = try TensorFile(path: Fixtures.path("readers/lora-base.safetensors"))
        let cases: [([(String, Shape)], String)] = [
            (
                [("block.q.lora_A.weight", [2, 5]), ("block.q.lora_B.weight", [3, 2])],
                "'block.q.lora_B.weight' makes [3, 5], the weight 'block.q.weight' has the shape [3, 4]"
            ),
            ([("head.bias", [3])], "'head.bias' makes [3]"),
            ([("nowhere", [1])], "'nowhere' has no counterpart in"),
        ]
        for (tensors, reason) in cases {
            let lora = try LoRA(path: try write(tensors))
            let error = #expect(throws: BindingError.self) {
                try MergedCheckpoint(base, lora, strict: false)
            }
            #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        }
    }

    @Test func changesTheDigest() throws {
        let base = try TensorFile(path: Fixtures.path("readers/lora-base.safetensors"))
        let path = Fixtures.path("readers/lora-plain.safetensors")
        let half = try MergedCheckpoint(base, LoRA(path: path), strict: false)
        let whole = try MergedCheckpoint(base, LoRA(path: path, scale: 1), strict: false)
        #expect(Set([base.digest, half.digest, whole.digest]).count == 3)
    }
}

/// Sums rows that arrive on several threads.
private final class Total: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var rows = 0
    private(set) var value = 0.0

    /// Adds the elements of some rows.
    func add(_ range: Range<Int>, _ floats: UnsafeBufferPointer<Float>) {
        lock.withLock {
            rows += range.count
            value += floats.map(Double.init).reduce(0, +)
        }
    }
}
