import Artifacts
import Foundation
import Inspection
import StreamProbe
import TestSupport
import Testing

@Suite struct ComparisonTests {
    let folder = TemporaryFolder()

    @Test func takesEachTensorsRelativeError() throws {
        let (a, b) = (folder.path("a.safetensors"), folder.path("b.safetensors"))
        try writeFloats(
            [
                "near": ([1], [4 + 1 / 1024]), "far": ([1], [2]), "mine": ([1], [0]),
                "flat": ([2], [0, 0]),
            ],
            to: a)
        try writeFloats(
            [
                "near": ([1], [4]), "far": ([1], [1]), "yours": ([1], [0]),
                "flat": ([1, 2], [0, 0]),
            ],
            to: b)
        let (lines, summary) = try compare(a, b)
        #expect(
            lines == [
                "             1               1  differs  far",
                "             -               -  differs  flat: [2], the other [1, 2]",
                "             -               -  missing  mine: not in '\(b)'",
                "   0.000244141     0.000976562  same     near",
                "             -               -  missing  yours: not in '\(a)'",
            ])
        #expect(summary.different == 4)
        #expect(summary.worst?.label == "far")
        #expect(summary.text == "5 compared, 4 different, largest relative error 1 in far")
    }

    @Test func respectsTheTolerance() throws {
        let (a, b) = (folder.path("a.safetensors"), folder.path("b.safetensors"))
        try writeFloats(["x": ([1], [1.25])], to: a)
        try writeFloats(["x": ([1], [1])], to: b)
        #expect(try compare(a, b, tolerance: 0.25).1.different == 0)
        #expect(try compare(a, b, tolerance: 0.249).1.different == 1)
        #expect(try compare(a, a, tolerance: 0).1.different == 0)
    }

    @Test func goesBlockByBlock() throws {
        let (a, b) = (folder.path("a"), folder.path("b"))
        try SyntheticStream(blocks: 3).write(to: a)
        try SyntheticStream(blocks: 3, seed: 421).write(to: b)
        try FileManager.default.removeItem(atPath: StreamFolder(path: b).path(ofBlock: 2))
        let (lines, summary) = try compare(a, b, tolerance: 0)
        #expect(
            lines.map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") } == [
                "differs 000000.safetensors:latents", "differs 000001.safetensors:latents",
                "missing 000002.safetensors: not in '\(b)'", "differs lead.safetensors:latents",
            ])
        #expect(summary.tensors == 4)
        #expect(try compare(a, a).1.different == 0)
    }

    @Test func goesThroughFolders() throws {
        let checkpoint = Fixtures.path("open/ckpt")
        let (lines, summary) = try compare(checkpoint, checkpoint, tolerance: 0)
        #expect(summary.different == 0)
        #expect(lines.count == summary.tensors)
        #expect(lines.contains { $0.contains("Wan2.1_VAE.pth:decoder.conv1.bias") })
    }

    @Test func refusesWhatCannotBeCompared() throws {
        let stream = folder.path("latents")
        try SyntheticStream(blocks: 1).write(to: stream)
        let file = Fixtures.path("readers/unaligned.safetensors")
        #expect(
            message { try compare(stream, file) }
                == "'\(stream)': cannot be compared with '\(file)': one is a stream, the other a file"
        )
        #expect(
            message { try compare(file, file, tensor: "x") }
                == "'\(file)': there is no tensor 'x', nor in '\(file)'")
    }

    @Test func isJSONToo() throws {
        let (a, b) = (folder.path("a.safetensors"), folder.path("b.safetensors"))
        try writeFloats(["x": ([1], [.nan]), "y": ([1], [1])], to: a)
        try writeFloats(["x": ([1], [1])], to: b)
        var lines: [String] = []
        _ = try Comparison(tolerance: 1).run(Subject(path: a), with: Subject(path: b)) {
            lines.append(try Report.line($0))
        }
        #expect(
            lines == [
                #"{"max_difference":"inf","relative_error":"inf","same":false,"tensor":"x"}"#,
                #"{"missing_in":"\#(b)","same":false,"tensor":"y"}"#,
            ])
    }

    /// Rows as text, and the summary.
    private func compare(
        _ a: String, _ b: String, tolerance: Double = 1e-3, tensor: String? = nil
    ) throws -> ([String], Comparison.Summary) {
        var lines: [String] = []
        let summary = try Comparison(tolerance: tolerance, tensor: tensor)
            .run(Subject(path: a), with: Subject(path: b)) { lines.append($0.text) }
        return (lines, summary)
    }
}
