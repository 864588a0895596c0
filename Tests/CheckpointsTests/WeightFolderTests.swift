import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Folders of weights that are complete, spread differently, or lack something.
@Suite struct WeightFolderTests {
    let folder = TemporaryFolder()
    private let published = Fixtures.path("open/ckpt")

    @Test(arguments: ["", "/", "/Wan2.2-S2V-14B", "/Wan2.2-S2V-14B/"])
    func findsEveryPart(ending: String) throws {
        let weights = try WeightFolder(path: published + ending)
        #expect(try weights.denoiser().tensors.count == 141)
        #expect(try weights.textEncoder().tensors.count == 22)
        #expect(try weights.videoVAE().tensors.count == 194)
        #expect(try weights.audioEncoder().tensors.count == 88)
        let paths = [
            try weights.tokenizerPath(), try weights.denoiserConfigurationPath(),
            try weights.audioEncoderConfigurationPath(),
        ]
        for path in paths { #expect(FileManager.default.isReadableFile(atPath: path)) }
    }

    @Test func saysWhatIsMissingAndWhereItLooked() throws {
        let model = folder.path("Wan2.2-S2V-14B")
        let empty = try WeightFolder(path: folder.path)
        let nothing = #expect(throws: MissingWeightFile.self) { try empty.videoVAE() }
        #expect(nothing?.names == ["Wan2.1_VAE.safetensors", "Wan2.1_VAE.pth"])
        #expect(nothing?.searched == [model, folder.path])
        try FileManager.default.createDirectory(
            atPath: model, withIntermediateDirectories: false)
        let weights = try WeightFolder(path: folder.path)
        let error = #expect(throws: MissingWeightFile.self) { try weights.denoiser() }
        #expect(
            error?.description == """
                cannot find 'diffusion_pytorch_model.safetensors.index.json' or \
                'diffusion_pytorch_model.safetensors': searched in '\(model)'
                """)
        #expect(throws: MissingWeightFile.self) { try WeightFolder.adapterPath(at: model) }
        #expect(throws: SystemError("open", folder.path("no"), code: ENOENT)) {
            try WeightFolder(path: folder.path("no"))
        }
    }

    /// Puts a file of float32 zeros into the folder.
    private func write(_ name: String, _ tensors: [String]) throws {
        try TensorFileWriter(
            path: folder.path(name),
            tensors: tensors.map { TensorDescriptor(name: $0, dataType: .float32, shape: [2]) }
        ).commit()
    }

    @Test func readsADenoiserInOneFile() throws {
        try write("diffusion_pytorch_model.safetensors", ["a"])
        #expect(try WeightFolder(path: folder.path).denoiser().tensors.map(\.name) == ["a"])
    }

    @Test func prefersSafetensorsForTheAudioEncoder() throws {
        let audio = folder.path("wav2vec2-large-xlsr-53-english")
        try FileManager.default.createDirectory(
            atPath: audio, withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: Fixtures.path("readers/parametrized.pth"), toPath: audio + "/pytorch_model.bin")
        let weights = try WeightFolder(path: folder.path)
        #expect(try weights.audioEncoder().tensors.map(\.name) == ["bias", "weight_g", "weight_v"])
        try write("wav2vec2-large-xlsr-53-english/model.safetensors", ["a"])
        #expect(try weights.audioEncoder().tensors.map(\.name) == ["a"])
    }

    @Test func prefersSafetensorsForTheVideoVAE() throws {
        try FileManager.default.copyItem(
            atPath: Fixtures.path("readers/parametrized.pth"), toPath: folder.path("Wan2.1_VAE.pth")
        )
        let weights = try WeightFolder(path: folder.path)
        #expect(try weights.videoVAE().tensors.count == 3)
        try write("Wan2.1_VAE.safetensors", ["a"])
        #expect(try weights.videoVAE().tensors.map(\.name) == ["a"])
    }

    @Test func refusesAnIndexThatDisagreesWithItsShards() throws {
        try write("1.safetensors", ["a", "b"])
        try write("2.safetensors", ["c"])
        let cases = [
            (#"{"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}"#, ""),
            (
                #"{"a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors"}"#,
                "tensor 'b' is not in its shard '\(folder.path("2.safetensors"))'"
            ),
            (
                #"{"a": "1.safetensors", "c": "2.safetensors"}"#,
                "tensor 'b' is in '\(folder.path("1.safetensors"))', where the index does not list it"
            ),
            (#"{"a": "3.safetensors"}"#, "cannot open '\(folder.path("3.safetensors"))'"),
            (#"{"a": "../1.safetensors"}"#, "'../1.safetensors' is no name of a shard"),
            (#"{"a": "1.safetensors", "a": "2.safetensors"}"#, "tensor 'a' is listed twice"),
            ("{}", "there is no 'weight_map'"),
            ("[]", "expected '{'"),
        ]
        let index = folder.path("x.safetensors.index.json")
        for (map, reason) in cases {
            let text = #"{"metadata": {"total_size": 1e3, "x": [null]}, "weight_map": \#(map)}"#
            try text.write(toFile: index, atomically: false, encoding: .utf8)
            let message: String
            do {
                #expect(try openCheckpoint(at: index).tensors.count == 3)
                message = ""
            } catch {
                message = "\(error)"
            }
            #expect(reason.isEmpty ? message.isEmpty : message.contains(reason), "\(message)")
        }
    }

    @Test func identifiesWeightsByTheirHeaders() throws {
        let weights = try WeightFolder(path: published)
        let parts = [
            try weights.denoiser(), try weights.textEncoder(), try weights.videoVAE(),
            try weights.audioEncoder(),
        ]
        #expect(Set(parts.map(\.digest)).count == 4)
        #expect(try weights.denoiser().digest == parts[0].digest)
        #expect(parts[0].digest.count == 64)
    }
}
