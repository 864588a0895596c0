import Artifacts
import Foundation
import TestSupport
import Testing

/// The examples of FORMATS.md are what is written and read.
@Suite struct FormatsTests {
    /// The examples by the name behind ```json.
    static let examples: [String: String] = {
        let root = URL(fileURLWithPath: Fixtures.path).deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = root.appendingPathComponent("Sources/Artifacts/FORMATS.md")
        let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
        let blocks = text.components(separatedBy: "```json ").dropFirst().map { block in
            let lines = block.components(separatedBy: "\n```")[0].split(
                separator: "\n", maxSplits: 1)
            return (String(lines[0]), String(lines[1]))
        }
        return Dictionary(uniqueKeysWithValues: blocks)
    }()

    /// Reads an example and writes it again.
    func again<Value: Codable>(
        _ name: String, _ type: Value.Type, pretty: Bool = true
    ) throws -> String {
        let example = try #require(Self.examples[name])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        let value = try JSONDecoder().decode(type, from: Data(example.utf8))
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test func examplesAreCanonical() throws {
        let examples = Self.examples
        #expect(try again("stream.json", StreamDescription.self) == examples["stream.json"])
        #expect(try again("end.json", StreamEnd.self) == examples["end.json"])
        #expect(try again("part.json", StreamPart.self) == examples["part.json"])
        #expect(
            try again("inputs", [Provenance.Input].self, pretty: false) == examples["inputs"])
    }

    @Test func theExampleOfAConsumedStreamIsUnderstood() throws {
        let folder = TemporaryFolder()
        try Data(try #require(Self.examples["consumed.json"]).utf8)
            .write(to: URL(fileURLWithPath: folder.path("consumed.json")))
        #expect(try StreamFolder(path: folder.path).consumedBefore() == 37)
    }

    @Test func theExampleOfAFailureIsTold() throws {
        let folder = TemporaryFolder()
        for name in ["stream.json", "failed.json"] {
            try Data(try #require(Self.examples[name]).utf8)
                .write(to: URL(fileURLWithPath: folder.path(name)))
        }
        let reader = try StreamReader(path: folder.path, kind: .latents, following: .running)
        #expect(
            message { try reader.block(3) }
                == "cannot follow '\(folder.path)': its writer failed: cannot write 'latents/000012.safetensors': No space left on device"
        )
    }
}
