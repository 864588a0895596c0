import Artifacts
import Foundation
import StreamProbe
import Tensors
import TestSupport
import Testing

@Suite struct StreamReaderTests {
    let folder = TemporaryFolder()
    let stream = SyntheticStream(blocks: 4)

    /// Where the stream is written.
    var path: String { folder.path("latents") }

    /// The path of a block.
    func block(_ index: Int) -> String { "\(path)/\(StreamFolder.name(ofBlock: index))" }

    /// Puts a block of other shape, kind or index in a block's place.
    func replace(
        _ index: Int, shape: Shape = [16, 3, 2, 8], type: DataType = .float32,
        metadata: [String: String]
    ) throws {
        try TensorFileWriter(
            path: block(index),
            tensors: [TensorDescriptor(name: "latents", dataType: type, shape: shape)],
            metadata: metadata
        ).commit()
    }

    @Test func readsACompleteStream() throws {
        try stream.write(to: path)
        for following in [StreamReader.Following.no, .running, .starting, .restarting] {
            #expect(try stream.follow(path, following: following) == 4)
        }
        #expect(try stream.follow(path + "/", following: .no) == 4)
    }

    @Test func namesWhatIsNotAStream() throws {
        #expect(
            message { try StreamReader(path: path, kind: .latents) }
                == "cannot read '\(path)': there is no stream.json in it")
        try stream.write(to: path)
        #expect(
            message { try StreamReader(path: path, kind: .frames) }
                == "cannot read '\(path)': is a 'latents' stream, expected 'frames'")
    }

    @Test func refusesAnUnfinishedStreamUnlessItHasWhatIsNeeded() throws {
        let writer = try StreamWriter(path: path, description: stream.description)
        try writer.write(0) { try stream.fill(0, $0) }
        try writer.write(1) { try stream.fill(1, $0) }
        #expect(
            message { try StreamReader(path: path, kind: .latents) }
                == "cannot read '\(path)': it is unfinished: 2 of 4 blocks are there")
        let reader = try StreamReader(path: path, kind: .latents, needs: 0..<2)
        #expect(try reader.block(1) != nil)
        #expect(
            message { try StreamReader(path: path, kind: .latents, needs: 1..<3) }
                == "cannot read '\(block(2))': it is missing")
    }

    @Test func namesAMissingBlockBeforeAnythingIsDone() throws {
        try stream.write(to: path)
        try FileManager.default.removeItem(atPath: block(2))
        #expect(
            message { try StreamReader(path: path, kind: .latents) }
                == "cannot read '\(block(2))': it is missing")
        #expect(
            message { try stream.follow(path, following: .running) }
                == "cannot read '\(block(2))': the stream has ended, but it is missing")
        #expect(
            message { try StreamFolder(path: path).check() }
                == "cannot read '\(block(2))': it is missing")
    }

    @Test func namesADamagedBlock() throws {
        try stream.write(to: path)
        try Data(contentsOf: URL(fileURLWithPath: block(2))).dropLast()
            .write(to: URL(fileURLWithPath: block(2)))
        let error = try #require(message { try stream.follow(path, following: .no) })
        #expect(error.hasPrefix("cannot read '\(block(2))': tensor 'latents'"))
    }

    @Test func namesABlockThatIsNoneOfTheStream() throws {
        try stream.write(to: path)
        let cases: [(Shape, DataType, [String: String], String)] = [
            (
                [16, 3, 2, 8], .float32, ["kind": "latents", "index": "1"],
                "is block 1 of a stream, not 2"
            ),
            (
                [16, 3, 2, 8], .float32, ["kind": "frames"],
                "is a 'frames' file, expected 'latents'"
            ),
            (
                [16, 3, 4, 8], .float32, ["kind": "latents"],
                "tensor 'latents' has the shape [16, 3, 4, 8], expected [16, 3, 2, 8]"
            ),
            (
                [16, 3, 2, 8], .bfloat16, ["kind": "latents"],
                "tensor 'latents' is bfloat16, expected float32"
            ),
            (
                [16, 3, 2, 8], .float32, ["kind": "latents", "version": "3"],
                "has version 3 of its format, newer than 1, the newest known"
            ),
        ]
        for (shape, type, metadata, reason) in cases {
            try replace(2, shape: shape, type: type, metadata: metadata)
            #expect(
                message { try stream.follow(path, following: .no) }
                    == "cannot read '\(block(2))': \(reason)")
        }
    }

    @Test func aForeignStreamOpens() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let files = [
            "stream.json": #"{"kind":"latents","block_shape":[16,3,2,8],"data_type":"float32"}"#,
            "end.json": #"{"blocks":2}"#,
        ]
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
        for index in 0..<2 { try replace(index, metadata: ["kind": "latents"]) }
        let reader = try StreamReader(path: path, kind: .latents)
        #expect(try reader.block(1) != nil)
        #expect(try reader.block(2) == nil)
        #expect(try reader.lead() == nil)
        #expect(try reader.end().sha256 == nil)
        try StreamFolder(path: path).check()
    }

    @Test func refusesBlocksOfAnotherSizeOrStep() throws {
        try stream.write(to: path)
        let reader = try StreamReader(path: path, kind: .latents)
        try reader.expect([16, 3, nil, nil])
        #expect(
            message { try reader.expect([16, 3, 48, nil], source: "the reference has") }
                == "cannot read '\(path)': its blocks have 2 rows, the reference has 48")
        try reader.expect(stepsDone: 4, of: 4)
        #expect(
            message { try reader.expect(stepsDone: 2, of: 4) }
                == "cannot read '\(path)': its latents are after step 4 of 4, expected 2 of 4")
    }
}
