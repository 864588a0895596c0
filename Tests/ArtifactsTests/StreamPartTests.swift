import Artifacts
import Foundation
import StreamProbe
import TestSupport
import Testing

@Suite struct StreamPartTests {
    let folder = TemporaryFolder()
    let stream = SyntheticStream(blocks: 6)

    /// Where the stream is written.
    var path: String { folder.path("latents") }

    @Test func partsThatCoverAllBlocksLeaveTheEnd() throws {
        try stream.write(to: path, range: 4..<6)
        try stream.write(to: path, range: 0..<2)
        #expect(try StreamFolder(path: path).end() == nil)
        let parts = try StreamFolder(path: path).parts()
        #expect(parts.map(\.range) == [0..<2, 4..<6])
        #expect(parts[1].frames == 24)
        #expect(
            FileManager.default.fileExists(atPath: "\(path)/part-000004-000006.json"))
        #expect(
            message { try StreamReader(path: path, kind: .latents) }
                == "cannot read '\(path)': it is unfinished: 4 of 6 blocks are there")
        try stream.write(to: path, range: 2..<4)

        let whole = folder.path("whole")
        try stream.write(to: whole)
        let joined = try contents(path)
        for (name, bytes) in try contents(whole) { #expect(joined[name] == bytes, "\(name)") }
        #expect(try stream.follow(path, following: .no) == 6)
        try StreamFolder(path: path).check()
    }

    @Test func partsCopiedTogetherMakeAStream() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for range in [0..<3, 3..<6] {
            let elsewhere = folder.path("machine-\(range.lowerBound)")
            try stream.write(to: elsewhere, range: range)
            for (name, bytes) in try contents(elsewhere) {
                try bytes.write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            }
        }
        let whole = folder.path("whole")
        try stream.write(to: whole)
        #expect(try stream.follow(path, following: .no) == 6)
        #expect(try stream.follow(path, following: .running) == 6)
        let reader = try StreamReader(path: path, kind: .latents)
        #expect(try reader.end() == StreamFolder(path: whole).end())
    }

    @Test func anOverlapIsNoHarm() throws {
        try stream.write(to: path, range: 0..<4)
        try stream.write(to: path, range: 2..<6)
        #expect(try stream.follow(path, following: .no) == 6)
    }

    @Test func aWriterOfAllGoesOnBetweenParts() throws {
        try stream.write(to: path, range: 2..<4)
        let writer = try StreamWriter(path: path, description: stream.description)
        #expect(writer.missing == [0..<2, 4..<6])
        try stream.write(with: writer)
        try writer.finish()
        try StreamFolder(path: path).check()
        #expect(try StreamFolder(path: path).end()?.blocks == 6)
    }

    @Test func aBlockThatIsMadeAgainTakesTheEndBack() throws {
        for range in [0..<3, 3..<6] { try stream.write(to: path, range: range) }
        try FileManager.default.removeItem(atPath: "\(path)/000001.safetensors")
        let writer = try StreamWriter(path: path, description: stream.description, range: 0..<2)
        #expect(writer.missing == [1..<2])
        #expect(try StreamFolder(path: path).end() == nil)
        #expect(try StreamFolder(path: path).parts().map(\.range) == [3..<6])
    }

    @Test func partsOfDifferentInputsAreNotJoined() throws {
        for (range, digest) in [(0..<3, "aa"), (3..<6, "bb")] {
            let writer = try StreamWriter(
                path: path, description: stream.description, range: range)
            try stream.write(with: writer)
            let input = Provenance.Input(role: "latents", name: "l", blocksSHA256: digest)
            let error = message { try writer.finish(inputs: [input]) }
            #expect(
                error
                    == (digest == "aa"
                        ? nil
                        : "cannot join '\(path)': its parts were made from different 'latents'"))
        }
    }

    @Test func threeProcessesWriteOneStream() throws {
        let wide = SyntheticStream(blocks: 30, rows: 64, leadFrames: 0)
        let processes = try [0..<10, 10..<20, 20..<30].map {
            try Probe.start(
                "write", "path=\(path)", "blocks=30", "rows=64", "lead=0", "pause=500",
                "first=\($0.lowerBound)", "end=\($0.upperBound)")
        }
        for process in processes {
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        let whole = folder.path("whole")
        try wide.write(to: whole)
        let joined = try contents(path)
        for (name, bytes) in try contents(whole) { #expect(joined[name] == bytes, "\(name)") }
        #expect(try StreamFolder(path: path).parts().count == 3)
    }
}
