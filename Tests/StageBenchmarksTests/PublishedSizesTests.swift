import Checkpoints
import Compute
import StageBenchmarks
import Tensors
import TestSupport
import Testing

/// Benchmarks are of the published models: they ask for exactly their tensors.
@Suite struct PublishedSizesTests {
    @Test(arguments: [
        (BenchmarkStage.denoise, "dit"), (.text, "t5_xxl_encoder"), (.encode, "vae"),
        (.decode, "vae"), (.audio, "wav2vec2_large_xlsr_53_english"),
    ])
    func asksForThePublishedTensors(stage: BenchmarkStage, section: String) throws {
        let published = try DeclaredCheckpoint(
            shapes: Fixtures.path("real-14B-shapes.json"), section: section, dataType: .bfloat16)
        // Of the audio model, the head that makes letters, and what hides samples in training, are not used.
        let unused = ["lm_head.weight", "lm_head.bias", "wav2vec2.masked_spec_embed"]
        let expected = published.tensors.filter { !unused.contains($0.name) }
            .map { "\($0.name) \($0.shape)" }
        let asked = try subject(stage).benchmark().weights.tensors
            .map { "\($0.name) \($0.shape)" }
        #expect(asked.sorted() == expected.sorted())
    }

    /// The window of a step is full: the block is the second clip's first.
    @Test func aStepAttendsToAWholeClip() throws {
        let benchmark = try subject(.denoise, layers: 1).benchmark()
        let device = RecordingDevice(activationType: .bfloat16)
        try benchmark.load(on: device)
        let works = try benchmark.prepare(on: device)
        device.removeRecords()
        try works[0].run()
        let attention = device.records.filter { $0.operation == "attention" }
        #expect(attention[0].inputs[0] == "bfloat16[1, 3168, 40, 128]")
        #expect(attention[0].inputs[1] == "bfloat16[1, 15312, 40, 128]")
        #expect(attention[1].inputs[1] == "bfloat16[1, 512, 40, 128]")
    }

    private func subject(_ stage: BenchmarkStage, layers: Int? = nil) -> BenchmarkSubject {
        BenchmarkSubject(
            stage: stage, sizes: PublishedSizes(layers: layers), height: 384, width: 704,
            steps: 1, seconds: 1)
    }
}
