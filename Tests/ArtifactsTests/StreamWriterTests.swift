import Artifacts
import Foundation
import StreamProbe
import Tensors
import TestSupport
import Testing

@Suite struct StreamWriterTests {
    let folder = TemporaryFolder()
    let stream = SyntheticStream(blocks: 5)

    /// Where the stream is written.
    var path: String { folder.path("latents") }

    /// Opens the stream for writing.
    func open(
        _ stream: SyntheticStream? = nil, range: Range<Int>? = nil, overwrite: Bool = false
    ) throws -> StreamWriter {
        try StreamWriter(
            path: path, description: (stream ?? self.stream).description, range: range,
            overwrite: overwrite)
    }

    /// Writes the first blocks and stops.
    func begin(_ count: Int, of stream: SyntheticStream? = nil) throws {
        let stream = stream ?? self.stream
        let writer = try open(stream)
        try writer.writeLead { try stream.fill(-1, $0) }
        for index in 0..<count { try writer.write(index) { try stream.fill(index, $0) } }
    }

    /// The files of the same stream written in one go.
    func undisturbed(_ stream: SyntheticStream? = nil) throws -> [String: Data] {
        let path = folder.path("undisturbed")
        try? FileManager.default.removeItem(atPath: path)
        try (stream ?? self.stream).write(to: path)
        return try contents(path)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }

    @Test func leavesTheFilesOfTheContract() throws {
        try stream.write(to: path)
        #expect(
            try contents(path).keys.sorted() == [
                "000000.safetensors", "000001.safetensors", "000002.safetensors",
                "000003.safetensors", "000004.safetensors", "blocks.sha256", "end.json",
                "lead.safetensors", "stream.json",
            ])
        let block = try TensorFile(path: "\(path)/000003.safetensors")
        #expect(block.metadata == ["kind": "latents", "version": "1", "index": "3"])
        #expect(block.tensors.map(\.name) == ["latents"])
        let lead = try TensorFile(path: "\(path)/lead.safetensors")
        #expect(lead.metadata == ["kind": "latents", "version": "1"])
        #expect(try lead.tensor("latents").shape == [16, 7, 2, 8])
        try StreamFolder(path: path).check()
    }

    @Test func theEndHasTheDigestThatSha256sumWouldGive() throws {
        try stream.write(to: path)
        let end = try #require(try StreamFolder(path: path).end())
        #expect(end.blocks == 5)
        #expect(end.frames == 60)
        let lines = try (0..<5).map {
            let name = StreamFolder.name(ofBlock: $0)
            return "\(try FileDigest.sha256(of: "\(path)/\(name)"))  \(name)\n"
        }
        let sums = folder.path("sums")
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: sums))
        #expect(end.sha256 == (try FileDigest.sha256(of: sums)))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: "\(path)/blocks.sha256"))
                == Data(lines.joined().utf8))
    }

    @Test func continuesAfterTheLastWholeBlock() throws {
        try begin(2)
        let writer = try open()
        #expect(writer.next == 2)
        #expect(writer.missing == [2..<5])
        #expect(writer.contains(1) && !writer.contains(2))
        #expect(try stream.isWhole(1, writer.block(1)))
        try stream.write(with: writer)
        try writer.finish()
        #expect(try contents(path) == undisturbed())
    }

    @Test func aFinishedStreamStaysAsItIs() throws {
        try stream.write(to: path)
        let before = try contents(path)
        for overwrite in [false, true] {
            let writer = try open(overwrite: overwrite)
            #expect(writer.missing.isEmpty && writer.next == 5)
            try writer.finish()
        }
        #expect(try contents(path) == before)
    }

    @Test func fillsAHoleAndComparesWhatFollows() throws {
        try stream.write(to: path)
        try remove("000001.safetensors")
        let writer = try open()
        #expect(writer.missing == [1..<2])
        #expect(try StreamFolder(path: path).end() == nil)
        // A model that has to run through all blocks may write them all.
        for index in 1..<5 { try writer.write(index) { try stream.fill(index, $0) } }
        try writer.finish()
        #expect(try contents(path) == undisturbed())
    }

    @Test func noticesThatABlockComesOutDifferently() throws {
        try begin(3)
        let writer = try open()
        let error = message { try writer.write(2) { try stream.fill(1, $0) } }
        #expect(
            error
                == "cannot continue '\(path)': '000002.safetensors' on disk is not what comes out now"
        )
        #expect(try stream.isWhole(2, writer.block(2)))
    }

    @Test func refusesAnotherStreamAndNamesTheDifference() throws {
        try begin(2)
        let before = try contents(path)
        var other = stream
        other.seed = 421
        #expect(
            message { try open(other) }
                == "cannot continue '\(path)': the seed is 421, it was 420")
        other = stream
        other.blocks = 6
        #expect(
            message { try open(other) }
                == "cannot continue '\(path)': the number of blocks is 6, it was 5")
        var description = stream.description
        description.provenance?.options?["precision"] = "f32"
        #expect(
            message { try StreamWriter(path: path, description: description) }
                == "cannot continue '\(path)': option 'precision' is f32, it was unset")
        #expect(try contents(path) == before)
    }

    @Test func overwritesAnotherStream() throws {
        var other = stream
        other.seed = 421
        other.blocks = 7
        try other.write(to: path)
        try stream.write(to: path, overwrite: true)
        #expect(try contents(path) == undisturbed())
    }

    @Test func overwritingContinuesTheSameStream() throws {
        try begin(3)
        #expect(try open(overwrite: true).missing == [3..<5])
    }

    @Test func aDamagedBlockIsRefusedOrOverwritten() throws {
        try begin(4)
        let block = URL(fileURLWithPath: "\(path)/000001.safetensors")
        try Data(contentsOf: block).dropLast(100).write(to: block)
        let error = try #require(message { try open() })
        #expect(error.hasPrefix("cannot continue '\(path)': a block of it is damaged (cannot read"))
        #expect(error.contains("000001.safetensors"))
        let writer = try open(overwrite: true)
        #expect(writer.missing == [1..<2, 4..<5])
        try stream.write(with: writer)
        try writer.finish()
        #expect(try contents(path) == undisturbed())
    }

    @Test func aFolderOfBlocksWithoutDescriptionIsRefused() throws {
        try begin(1)
        try remove("stream.json")
        #expect(
            message { try open() }
                == "cannot continue '\(path)': it has blocks but no 'stream.json'")
        #expect(try open(overwrite: true).next == 0)
    }

    @Test func aDamagedDescriptionIsRefusedOrOverwritten() throws {
        try begin(1)
        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(path)/stream.json"))
        #expect(
            message { try open() }
                == "cannot read '\(path)/stream.json': not JSON, or damaged")
        #expect(try open(overwrite: true).next == 0)
    }

    @Test func aSecondWriterOfTheSameBlocksIsRefused() throws {
        let first = try open(range: 0..<2)
        #expect(
            message { try open() } == "cannot write '\(path)': another process is writing it")
        #expect(
            message { try open(range: 1..<3) }
                == "cannot write '\(path)': another process is writing some of the blocks 1..<3")
        var other = stream
        other.seed = 1
        #expect(
            message { try open(other, range: 3..<5, overwrite: true) }
                == "cannot overwrite '\(path)': another process is writing it, and the seed is 1, it was 420"
        )
        let second = try open(range: 2..<5)
        #expect(first.missing == [0..<2] && second.missing == [2..<5])
    }

    @Test func refusesARangeOutsideTheStream() {
        #expect(
            message { try open(range: 3..<6) }
                == "cannot write '\(path)': blocks 3..<6 are not among its 5 blocks")
    }

    @Test func doesNotFinishWithoutAllBlocks() throws {
        try begin(2)
        #expect(
            message { try open().finish() } == "cannot finish '\(path)': block 2 was not written")
    }

    @Test func doesNotFinishWithoutItsLead() throws {
        let writer = try open()
        for index in 0..<5 { try writer.write(index) { try stream.fill(index, $0) } }
        #expect(
            message { try writer.finish() }
                == "cannot finish '\(path)': 'lead.safetensors' was not written")
    }

    @Test func takesDigestsThatAKillHasLost() throws {
        try begin(3)
        let journal = URL(fileURLWithPath: "\(path)/blocks.sha256")
        try Data(contentsOf: journal).prefix(150).write(to: journal)
        try stream.write(to: path)
        #expect(try contents(path) == undisturbed())
    }

    @Test func writesThatFailLeaveNothing() throws {
        let writer = try open()
        struct Stop: Error {}
        #expect(throws: Stop.self) { try writer.write(0) { _ in throw Stop() } }
        #expect(
            try contents(path).keys.sorted() == ["blocks.sha256", "stream.json"])
    }

    @Test func checkFindsAFlippedBit() throws {
        try stream.write(to: path)
        let block = URL(fileURLWithPath: "\(path)/000002.safetensors")
        var bytes = try Data(contentsOf: block)
        bytes[bytes.count - 5] ^= 1
        try bytes.write(to: block)
        #expect(
            message { try StreamFolder(path: path).check() }
                == "cannot read '\(path)/000002.safetensors': damaged: its bytes are not those that were written"
        )
    }
}
