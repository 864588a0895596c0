import Artifacts
import Foundation
import Inspection
import StreamProbe
import TestSupport
import Testing

/// What `--check` finds; that good files pass is shown with the built tool.
@Suite struct CheckTests {
    let folder = TemporaryFolder()

    @Test func namesTheTensorAndThePlaceOfWhatIsNotFinite() throws {
        let path = folder.path("a.safetensors")
        try writeFloats(
            ["good": ([1], [0]), "bad": ([2, 3], [0, 1, 2, 3, .nan, -.infinity])], to: path)
        #expect(
            problem(path)
                == "'\(path)': tensor 'bad' has 1 NaN and 1 infinities, the first at [1, 1]")
    }

    @Test func opensArtifactsAsWhatTheySay() throws {
        let path = folder.path("text.safetensors")
        try writeFloats(["context": ([2], [0, 1])], metadata: ["kind": "text-condition"], to: path)
        #expect(
            problem(path)
                == "cannot read '\(path)': tensor 'context' has the shape [2], expected [tokens, values per token]"
        )
        try writeFloats(
            ["latents": ([1], [0])], metadata: ["kind": "latents", "version": "2"], to: path)
        #expect(problem(path)?.contains("newer than 1") == true)
    }

    @Test func findsEveryDamagedByteOfAStream() throws {
        let path = folder.path("latents")
        let stream = SyntheticStream(blocks: 2)
        try stream.write(to: path)
        #expect(problem(path) == nil)
        let block = StreamFolder(path: path).path(ofBlock: 1)
        try flipByte(of: block, at: 1000)
        #expect(
            problem(path)
                == "cannot read '\(block)': damaged: its bytes are not those that were written")
    }

    @Test func wantsAStreamToBeComplete() throws {
        let path = folder.path("latents")
        let stream = SyntheticStream(blocks: 3)
        try stream.write(to: path, range: 0..<2)
        #expect(
            problem(path)
                == "'\(path)': the stream is unfinished, nobody writes it: 2 of 3 blocks are there")
        try stream.write(to: path, range: 2..<3)
        #expect(problem(path) == nil)
    }

    @Test func findsNaNInABlock() throws {
        let path = folder.path("latents")
        var description = SyntheticStream(blocks: 1, leadFrames: 0).description
        description.blockShape = [1, 1, 1, 2]
        let writer = try StreamWriter(path: path, description: description)
        try writer.write(0) { file in
            try [Float(1), .nan].withUnsafeBytes { try file.write($0, to: "latents") }
        }
        try writer.finish()
        #expect(
            problem(path)
                == "'\(path)/000000.safetensors': tensor 'latents' has 1 NaN and 0 infinities, the first at [0, 0, 0, 1]"
        )
    }

    @Test func comparesStoragesWithTheirChecksums() throws {
        let path = folder.path("a.pth")
        let original = try Data(
            contentsOf: URL(fileURLWithPath: Fixtures.path("readers/layouts.pth")))
        try original.write(to: URL(fileURLWithPath: path))
        #expect(problem(path) == nil)
        // The floats 2, 3, 4, 5 of a storage.
        let floats = [Float(2), 3, 4, 5].withUnsafeBytes { Data($0) }
        let place = try #require(original.range(of: floats))
        try flipByte(of: path, at: place.lowerBound)
        #expect(problem(path)?.contains("does not fit its checksum") == true)
    }

    @Test func wantsBothFactorsOfALoRA() throws {
        let path = folder.path("lora.safetensors")
        try writeFloats(["block.q.lora_A.weight": ([1, 2], [0, 1])], to: path)
        #expect(
            problem(path)
                == "cannot read '\(path)': tensor 'block.q.lora_A.weight' lacks its partner (lora_B)"
        )
    }

    /// What is found at a path; nil if all is well.
    private func problem(_ path: String) -> String? {
        message { try Check.run(on: Subject(path: path)) }
    }
}
