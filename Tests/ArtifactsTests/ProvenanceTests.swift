import Artifacts
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct ProvenanceTests {
    let folder = TemporaryFolder()

    @Test func digestsAreSHA256() throws {
        let path = folder.path("abc")
        try Data("abc".utf8).write(to: URL(fileURLWithPath: path))
        // The first test vector of FIPS 180-2.
        #expect(
            try FileDigest.sha256(of: path)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func weightsAreKnownByHeadersAndSizes() throws {
        func digest(_ name: String, _ type: DataType, _ value: UInt8) throws -> String {
            let path = folder.path(name)
            let writer = try TensorFileWriter(
                path: path,
                tensors: [TensorDescriptor(name: "w", dataType: type, shape: [1 << 18])])
            try writer.bytes(of: "w").initializeMemory(as: UInt8.self, repeating: value)
            try writer.commit()
            return try CheckpointDigest.sha256(of: [path])
        }
        let digest1 = try digest("w.safetensors", .uint8, 1)
        #expect(digest1.count == 64)
        #expect(try digest("w.safetensors", .uint8, 2) == digest1)
        #expect(try digest("w.safetensors", .int8, 1) != digest1)
        #expect(try digest("v.safetensors", .uint8, 1) != digest1)
    }

    @Test func otherWeightsAreKnownBySizeAndEnds() throws {
        let path = folder.path("w.pth")
        var bytes = Data(count: 1 << 20)
        func digest() throws -> String {
            try bytes.write(to: URL(fileURLWithPath: path))
            return try CheckpointDigest.sha256(of: [path])
        }
        let first = try digest()
        bytes[1 << 19] = 1
        #expect(try digest() == first)
        bytes[bytes.count - 1] = 1
        #expect(try digest() != first)
    }

    @Test func weightsOrderDoesNotCount() throws {
        for name in ["a", "b"] {
            try Data(name.utf8).write(to: URL(fileURLWithPath: folder.path(name)))
        }
        let paths = [folder.path("a"), folder.path("b")]
        #expect(
            try CheckpointDigest.sha256(of: paths)
                == CheckpointDigest.sha256(of: paths.reversed()))
    }

    /// A text condition made from weights, and what a stream made from it would tell.
    func chain() throws -> Provenance {
        let path = folder.path("text.safetensors")
        try TextCondition.create(
            path: path, tokens: 1, width: 1,
            provenance: Provenance(
                tool: "encode-text", toolVersion: "0.1.0",
                inputs: [.weights("t5.pth", digest: "0123456789abcdef")])
        ).commit()
        return Provenance(
            tool: "denoise-latents", toolVersion: "0.1.0", options: ["seed": "420", "steps": "4"],
            inputs: [try .file(path, as: "text")])
    }

    @Test func theChainIsTold() throws {
        let chain = try chain()
        let digest = try FileDigest.sha256(of: folder.path("text.safetensors"))
        #expect(
            chain.outline == [
                "denoise-latents 0.1.0 seed=420 steps=4",
                "  text: text.safetensors \(digest.prefix(12))",
                "    encode-text 0.1.0",
                "      weights: t5.pth 0123456789ab",
            ])
        #expect(try Provenance(metadata: chain.metadata()) == chain)
    }

    @Test func whatIsNotToldIsUnknown() throws {
        #expect(Provenance(metadata: ["kind": "latents"]) == nil)
        let scarce = Provenance(metadata: ["tool": "my script", "inputs": "[{]"])
        #expect(
            scarce?.outline == [
                "my script (unknown version) (unknown options)", "  unknown inputs",
            ])
    }

    @Test func differencesAreNamed() throws {
        let old = try chain()
        var new = old
        new.inputs?[0].name = "renamed.safetensors"
        #expect(new.difference(from: old) == nil)
        new.options?["seed"] = "421"
        #expect(new.difference(from: old) == "option 'seed' is 421, it was 420")
        new.options = old.options
        new.options?["guidance"] = "4.5"
        #expect(new.difference(from: old) == "option 'guidance' is 4.5, it was unset")
        new = old
        new.toolVersion = "0.2.0"
        #expect(new.difference(from: old) == "the tool's version is 0.2.0, it was 0.1.0")
        new = old
        new.inputs?[0].sha256 = "ffff"
        #expect(
            new.difference(from: old)?.hasPrefix(
                "input 'text' has other content: text.safetensors ffff, it was") == true)
        new.inputs = []
        #expect(new.difference(from: old) == "it has 0 inputs, it had 1")
    }
}
