import Artifacts
import Foundation
import Inspection
import StreamProbe
import TestSupport
import Testing

@Suite struct ListingTests {
    let folder = TemporaryFolder()
    let stream = SyntheticStream(blocks: 6)

    @Test func showsWhereAFileComesFrom() throws {
        let path = folder.path("text.safetensors")
        let weights = Provenance.Input(
            role: "weights", name: "t5.pth", headersSHA256: "5c0a7f0e9d1f4a1bb9ac6f3a4c8de5f4")
        let writer = try TextCondition.create(
            path: path, tokens: 2, width: 3,
            provenance: Provenance(
                tool: "encode-text", toolVersion: "0.1.0", options: ["output-type": "f32"],
                inputs: [weights]))
        try writer.commit()
        #expect(
            try listing(path) == [
                "file        \(path)",
                "format      safetensors",
                "kind        text-condition",
                "version     1",
                "provenance  encode-text 0.1.0 output-type=f32",
                "              weights: t5.pth 5c0a7f0e9d1f",
                "tensors     1, 24 bytes",
                "",
                "tensor   type     shape  bytes",
                "context  float32  [2,3]     24",
            ])
    }

    @Test func callsUnknownWhatAFileDoesNotTell() throws {
        let path = folder.path("foreign.safetensors")
        try writeFloats(
            ["a": ([1], [0.5]), "escape\u{1B}[31m": ([], [0])],
            metadata: ["format": "pt", "note": "a\nb"], to: path)
        #expect(
            try listing(path, withStatistics: true) == [
                "file        \(path)",
                "format      safetensors",
                "kind        unknown",
                "version     unknown",
                "metadata    format: pt",
                "            note: a?b",
                "provenance  unknown",
                "tensors     2, 8 bytes",
                "",
                "tensor       type     shape  bytes           min           max          mean"
                    + "     deviation  zeros    nan    inf",
                "a            float32  [1]        4           0.5           0.5           0.5"
                    + "             0      0      0      0",
                "escape?[31m  float32  []         4             0             0             0"
                    + "             0      1      0      0",
            ])
    }

    @Test func tellsALoRA() throws {
        let lines = try listing(Fixtures.path("open/ckpt/LiveAvatar/liveavatar.safetensors"))
        #expect(lines.contains("lora        38 pairs of rank 4"))
    }

    @Test func showsHowFarAStreamHasCome() throws {
        let path = folder.path("latents")
        try stream.write(to: path, range: 0..<2)
        let writer = try StreamWriter(path: path, description: stream.description, range: 3..<6)
        try writer.write(4) { try stream.fill(4, $0) }
        #expect(try field("state", of: path) == "unfinished, being written")
        writer.fail("the weights have gone")
        #expect(
            try listing(path) == [
                "stream      \(path)",
                "format      tensor stream",
                "kind        latents",
                "version     1",
                "state       unfinished, nobody writes it",
                "blocks      3 of 6, missing 2-3, 5",
                "failed      the weights have gone",
                "parts       0-1",
                "frames      12 per block, 25 per second",
                "steps       4 of 4, solver euler, seed 420",
                "provenance  stream-probe 1 seed=420",
                "",
                "tensor              type     shape       bytes",
                "lead:latents        float32  [16,7,2,8]   7168",
                "each block:latents  float32  [16,3,2,8]   3072",
            ])
        #expect(
            try listing(path, withStatistics: true).suffix(4).map {
                String($0.prefix { $0 != " " })
            } == [
                "lead.safetensors:latents", "000000.safetensors:latents",
                "000001.safetensors:latents", "000004.safetensors:latents",
            ])
    }

    @Test func showsACompleteStream() throws {
        let path = folder.path("latents")
        try stream.write(to: path)
        #expect(try field("state", of: path) == "complete")
        #expect(try field("blocks", of: path) == "6 of 6")
        #expect(try field("digest", of: path) == StreamFolder(path: path).end()?.sha256)
    }

    @Test func showsConsumedAndMissingBlocks() throws {
        let path = folder.path("latents")
        try stream.write(to: path)
        for index in 0..<3 {
            try FileManager.default.removeItem(
                atPath: StreamFolder(path: path).path(ofBlock: index))
        }
        try FileManager.default.removeItem(atPath: StreamFolder(path: path).leadPath)
        #expect(try field("state", of: path) == "ended, but blocks are missing")
        #expect(try field("blocks", of: path) == "3 of 6, missing 0-2, missing the lead")
        try Data("{\"before\":2}".utf8).write(to: URL(fileURLWithPath: path + "/consumed.json"))
        #expect(try field("blocks", of: path) == "3 of 6, missing 2, missing the lead")
        #expect(try field("consumed", of: path) == "before 2")
        try Data("{\"before\":3}".utf8).write(to: URL(fileURLWithPath: path + "/consumed.json"))
        #expect(try field("state", of: path) == "complete")
    }

    @Test func listsOneTensorAlone() throws {
        let path = Fixtures.path("readers/every-type.pth")
        let rows = try listing(path, tensor: "int64").drop { !$0.hasPrefix("tensor ") }
        #expect(rows.dropFirst().map { $0.split(separator: " ").first } == ["int64"])
    }

    @Test func isJSONToo() throws {
        let path = folder.path("latents")
        try stream.write(to: path, range: 1..<3)
        let lines = try listing(path, withStatistics: true, asJSON: true)
        #expect(lines.count == 1)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(object["kind"] as? String == "latents")
        let state = try #require(object["stream"] as? [String: Any])
        #expect(state["missing"] as? [[Int]] == [[0, 1], [3, 6]])
        #expect(state["being_written"] as? Bool == false)
        #expect(
            (state["description"] as? [String: Any])?["block_shape"] as? [Int] == [16, 3, 2, 8])
        let tensors = try #require(object["tensors"] as? [[String: Any]])
        #expect(tensors.count == 3)
        #expect(tensors[1]["name"] as? String == "000001.safetensors:latents")
        #expect(tensors[1]["min"] as? Double == Double(stream.value(block: 1, element: 0)))
        #expect(tensors[1]["nan"] as? Int == 0)
    }

    /// A line of the head, without its name.
    private func field(_ name: String, of path: String) throws -> String? {
        let line = try listing(path).first { $0.hasPrefix(name + " ") }
        return line.map { $0.dropFirst(name.count).trimmingCharacters(in: .whitespaces) }
    }
}
