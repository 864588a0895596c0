import Artifacts
import Foundation
import StreamProbe
import TestSupport
import Testing

@Suite struct ConsumeTests {
    let folder = TemporaryFolder()
    let stream = SyntheticStream(blocks: 10)

    /// Where the stream is written.
    var path: String { folder.path("latents") }

    /// Indices of the blocks on disk.
    var blocks: [Int] { get throws { try StreamFolder(path: path).blocks() } }

    /// A writer that needs something again when it is restarted, and has written some blocks.
    func begin(_ count: Int, restart: StreamDescription.Restart? = nil) throws -> StreamWriter {
        var description = stream.description
        description.restart = restart
        let writer = try StreamWriter(path: path, description: description)
        if try !writer.hasLead { try writer.writeLead { try stream.fill(-1, $0) } }
        for index in writer.next..<max(count, writer.next) {
            try writer.write(index) { try stream.fill(index, $0) }
        }
        return writer
    }

    /// A reader that follows.
    func reader(_ needs: Range<Int>? = nil) throws -> StreamReader {
        try StreamReader(path: path, kind: .latents, following: .running, needs: needs)
    }

    @Test func keepsWhatTheReadersRestartNeeds() throws {
        let writer = try begin(8)
        let reader = try reader()
        try reader.consume(through: 4, keeping: 2)
        #expect(try blocks == [3, 4, 5, 6, 7])
        try reader.consume(through: 6, keeping: 2)
        #expect(try blocks == [5, 6, 7])
        #expect(try StreamFolder(path: path).consumedBefore() == 5)
        #expect(
            message { try reader.block(4) }
                == "cannot read '\(path)/000004.safetensors': it was consumed, no reader or restart needed it"
        )
        withExtendedLifetime(writer) {}
    }

    @Test func keepsWhatTheWritersRestartNeedsUntilTheEnd() throws {
        let writer = try begin(8, restart: .init(first: 1, last: 3))
        let reader = try reader()
        try reader.consume(through: 6)
        #expect(try blocks == [0, 4, 5, 6, 7])
        try stream.write(with: writer)
        try writer.finish()
        try reader.consume(through: 9)
        #expect(try blocks.isEmpty)
    }

    @Test func keepsWhatAnotherReaderNeeds() throws {
        let writer = try begin(8)
        let first = try reader()
        var second: StreamReader? = try reader()
        let once = try reader(2..<3)
        try first.consume(through: 6)
        #expect(try blocks == Array(0..<8))
        try second?.release(through: 4)
        try first.consume(through: 6)
        #expect(try blocks == [2, 5, 6, 7])
        #expect(second != nil)
        second = nil
        try first.consume(through: 6)
        #expect(try blocks == [2, 7])
        try once.release(through: 2)
        try first.consume(through: 6)
        #expect(try blocks == [7])
        withExtendedLifetime(writer) {}
    }

    @Test func aReaderOfALaterRangeConsumesNothing() throws {
        let writer = try begin(8)
        #expect(
            message { try reader(2..<4).consume(through: 3) }
                == "cannot consume '\(path)': this reader does not read it from its beginning")
        withExtendedLifetime(writer) {}
    }

    @Test func theWriterGoesOnBehindConsumedBlocks() throws {
        do {
            let writer = try begin(6)
            try reader().consume(through: 3)
            withExtendedLifetime(writer) {}
        }
        #expect(try blocks == [4, 5])
        let writer = try begin(8)
        #expect(writer.missing == [8..<10])
        try stream.write(with: writer)
        let reader = try reader()
        try reader.consume(through: 7, keeping: 1)
        try writer.finish()
        #expect(try blocks == [7, 8, 9])

        let whole = folder.path("whole")
        try stream.write(to: whole)
        #expect(try StreamFolder(path: path).end() == StreamFolder(path: whole).end())
        try StreamFolder(path: path).check()
        #expect(try StreamWriter(path: path, description: stream.description).missing.isEmpty)
    }

    @Test func aRestartedReaderConsumesWhatItsKillLeft() throws {
        let writer = try begin(8)
        do {
            let first = try reader()
            let second = try reader()
            try first.consume(through: 4)
            #expect(try blocks == Array(0..<8))
            withExtendedLifetime(second) {}
        }
        try reader().consume(through: 2)
        #expect(try blocks == [5, 6, 7])
        withExtendedLifetime(writer) {}
    }

    @Test func aConsumedStreamIsNotReadFromTheBeginning() throws {
        try stream.write(to: path)
        try StreamReader(path: path, kind: .latents).consume(through: 3)
        #expect(
            message { try StreamReader(path: path, kind: .latents) }
                == "cannot read '\(path)/000000.safetensors': it was consumed, no reader or restart needed it"
        )
        #expect(
            try StreamReader(path: path, kind: .latents, needs: 4..<10).block(9) != nil)
    }

    @Test func overwritingForgetsWhatWasConsumed() throws {
        try stream.write(to: path)
        try StreamReader(path: path, kind: .latents).consume(through: 3)
        var other = stream
        other.seed = 3
        try other.write(to: path, overwrite: true)
        #expect(try other.follow(path, following: .no) == 10)
    }
}
