import Foundation
import Inspection
import StreamProbe
import TestSupport
import Testing

/// What is found at a path.
@Suite struct SubjectTests {
    let folder = TemporaryFolder()

    @Test func publishedFoldersHoldEachModelsFile() throws {
        let leaves = try Subject(path: Fixtures.path("open/ckpt")).leaves().map { try $0.get() }
        #expect(
            leaves.map { $0.path.replacing(Fixtures.path("open/ckpt") + "/", with: "") } == [
                "LiveAvatar/liveavatar.safetensors",
                "Wan2.2-S2V-14B/Wan2.1_VAE.pth",
                "Wan2.2-S2V-14B/diffusion_pytorch_model.safetensors.index.json",
                "Wan2.2-S2V-14B/models_t5_umt5-xxl-enc-bf16.pth",
                "Wan2.2-S2V-14B/wav2vec2-large-xlsr-53-english/model.safetensors",
            ])
    }

    @Test func foldersOfARunHoldFilesAndStreams() throws {
        try SyntheticStream(blocks: 2).write(to: folder.path("latents"))
        for name in ["b.safetensors", ".hidden.safetensors", "notes.txt", "c.safetensors.partial"] {
            try Data().write(to: URL(fileURLWithPath: folder.path(name)))
        }
        let leaves = try Subject(path: folder.path).leaves().map { try $0.get() }
        #expect(leaves.map(\.path) == [folder.path("b.safetensors"), folder.path("latents")])
        let parts = try leaves[1].parts()
        #expect(
            parts.map(\.name) == ["lead.safetensors", "000000.safetensors", "000001.safetensors"])
        #expect(parts[1].label("latents") == "000000.safetensors:latents")
    }

    @Test func linksInACircleEnd() throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("self"), withDestinationPath: folder.path)
        #expect(
            message { try Subject(path: folder.path) }
                == "'\(folder.path)': there is no stream.json, tensor file or checkpoint in this folder"
        )
    }

    @Test func nothingIsNamed() {
        let path = folder.path("nothing")
        #expect(
            message { try Subject(path: path) }
                == "cannot open '\(path)': No such file or directory")
    }
}
