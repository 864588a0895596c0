import Artifacts
import Foundation
import Tensors
import TestSupport
import Testing

/// Weights, conditions and streams that are right by themselves and do not belong together.
@Suite struct ForeignModelTests {
    let refusal = Refusal()

    /// The tiny model, but with another file in the place of one of its own.
    private func weights(with file: String, in place: String) throws -> String {
        let (files, model) = (FileManager.default, TinyRun.weights + "/Wan2.2-S2V-14B")
        let copy = refusal.folder.path("weights")
        try files.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: model) {
            let target = name == place ? file : model + "/" + name
            try files.createSymbolicLink(atPath: copy + "/" + name, withDestinationPath: target)
        }
        return copy
    }

    @Test func theVAEOfAnotherModel() throws {
        let run = try TinyRun.get()
        let foreign = try weights(
            with: TinyRun.weights + "/Wan2.2-S2V-14B/models_t5_umt5-xxl-enc-bf16.pth",
            in: "Wan2.1_VAE.pth")
        try refusal.expect(
            "cannot use '@weights/Wan2.1_VAE.pth': tensor 'encoder.conv1.weight' is missing",
            from: "decode-vae", ["--weights", foreign, run.latents])
        try refusal.expect(
            "cannot use '@weights/Wan2.1_VAE.pth': tensor 'encoder.conv1.weight' is missing",
            from: "encode-vae", ["--weights", foreign, TinyRun.image])
    }

    @Test func aDenoiserOfAnotherSize() throws {
        let model = TinyRun.weights + "/Wan2.2-S2V-14B/config.json"
        let other = try String(contentsOfFile: model, encoding: .utf8).replacing(
            "\"ffn_dim\": 80", with: "\"ffn_dim\": 96")
        try refusal.write(Array(other.utf8), to: "config.json")
        let foreign = try weights(with: refusal.folder.path("config.json"), in: "config.json")
        var arguments = try TinyRun.get().denoising
        arguments[1] = foreign
        let tensors = (0..<3).flatMap { block in
            [
                "tensor 'blocks.\(block).ffn.0.weight' has the shape [80, 48], expected [96, 48]",
                "tensor 'blocks.\(block).ffn.0.bias' has the shape [80], expected [96]",
                "tensor 'blocks.\(block).ffn.2.weight' has the shape [48, 80], expected [48, 96]",
            ]
        }
        try refusal.expect(
            "cannot use '@weights/diffusion_pytorch_model.safetensors.index.json': "
                + tensors.prefix(8).joined(separator: "; ") + "; and 1 more",
            from: "denoise-latents", arguments)
    }

    @Test func aLoRAOfAnotherModel() throws {
        let model = TinyRun.weights + "/Wan2.2-S2V-14B"
        let tensor = "diffusion_model.blocks.0.ffn.9.lora"
        let path = refusal.folder.path("lora.safetensors")
        let values = [Float](repeating: 0, count: 4)
        let views = [(tensor + "_A.weight", [1, 4] as Shape), (tensor + "_B.weight", [4, 1])]
        let writer = try TensorFileWriter(
            path: path,
            tensors: views.map { .init(name: $0.0, dataType: .float32, shape: $0.1) })
        for view in views { try values.withUnsafeBytes { try writer.write($0, to: view.0) } }
        try writer.commit()
        try refusal.expect(
            "cannot use '@lora.safetensors': tensor '\(tensor)_A.weight' has no counterpart in '\(model)/diffusion_pytorch_model.safetensors.index.json'",
            from: "denoise-latents", TinyRun.get().denoising + ["--lora", path])
    }

    @Test func conditionsOfAnotherModel() throws {
        let run = try TinyRun.get()
        let text = try TextCondition.create(
            path: refusal.folder.path("text"), tokens: 3, width: 4096,
            provenance: Provenance(tool: "test", toolVersion: "1"))
        try [Float](repeating: 0, count: 3 * 4096).withUnsafeBytes {
            try text.write($0, to: "context")
        }
        try text.commit()
        var arguments = run.denoising
        arguments[3] = "@text"
        try refusal.expect(
            "cannot read '@text': tensor 'context' has 4096 values per token, the model needs 32",
            from: "denoise-latents", arguments)
        arguments[3] = run.audio
        try refusal.expect(
            "cannot read '\(run.audio)': is a 'audio-condition' file, expected 'text-condition'",
            from: "denoise-latents", arguments)
    }

    /// The portrait of one size, latents of another.
    @Test func conditionsOfAnotherSize() throws {
        let run = try TinyRun.get()
        let tall = refusal.folder.path("tall")
        let outcome = try BuiltTool(name: "encode-vae").run(
            "--weights", TinyRun.weights, "--size", "64x192", TinyRun.image, "--output", tall)
        #expect(outcome.status == 0)
        let part = refusal.folder.path("after-step-2")
        let first = try BuiltTool(name: "denoise-latents").run(
            run.denoising + [
                "--step-range", "1-2", "--refresh-from", run.latents, "--output", part,
            ])
        #expect(first.status == 0)
        var arguments = run.denoising
        arguments[7] = tall
        try refusal.expect(
            "cannot read '@after-step-2': its blocks have 8 columns, the reference needs 16",
            from: "denoise-latents", arguments + ["--step-range", "3-4", "--input", part])
    }

    @Test func voicesWithoutMasks() throws {
        let run = try TinyRun.get()
        try refusal.expect(
            "cannot use '\(run.reference)': it has no mask of who speaks where, which 2 voices need (encode-vae --actor-mask)",
            from: "denoise-latents", run.denoising + ["--audio", run.audio])
    }

    @Test func framesForLatents() throws {
        let run = try TinyRun.get()
        try refusal.expect(
            "cannot read '\(run.frames)': is a 'frames' stream, expected 'latents'",
            from: "decode-vae", ["--weights", TinyRun.weights, run.frames])
        try refusal.expect(
            "cannot read '\(run.latents)': is a 'latents' stream, expected 'frames'",
            from: "mux-video", ["--audio", TinyRun.voice, run.latents])
    }
}
