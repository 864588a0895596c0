import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Broken and malicious files, made by `Tests/Fixtures/make/hostile_files.py`.
///
/// `readers/hostile-reasons.tsv` holds what is said of each, so that none is refused for another
/// reason than its own: a new file's line is what this test reports, once it was read and found right.
@Suite struct HostileFilesTests {
    @Test func endInALineThatNamesTheFile() throws {
        let folder = Fixtures.path("hostile")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let reasons = Dictionary(
            uniqueKeysWithValues: try ListedTensor.lines(of: "hostile-reasons.tsv")
                .map { ($0.cells[0], $0.cells[1]) })
        #expect(names.count >= 40)
        #expect(names.sorted() == reasons.keys.sorted())
        for name in names {
            let path = "\(folder)/\(name)"
            let error = #expect(throws: (any Error).self, "\(name)") {
                try openCheckpoint(at: path)
            }
            let message = error.map { "\($0)" } ?? ""
            #expect(message.contains("'\(path)'") && !message.contains("\n"))
            #expect(message.count < 600)
            #expect(message.replacing(folder + "/", with: "") == reasons[name], "\(name)")
        }
    }

    @Test func takeNeitherMemoryNorTime() async {
        await #expect(processExitsWith: .success) {
            let folder = Fixtures.path("hostile")
            let start = ContinuousClock.now
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                expectModestPeak { _ = try? openCheckpoint(at: "\(folder)/\(name)") }
            }
            precondition(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test(arguments: largestFiles.keys.sorted())
    func takeLittleMemoryHoweverLarge(name: String) async throws {
        let folder = TemporaryFolder()
        let path = folder.path(name)
        try Data(largestFiles[name]?() ?? []).write(to: URL(fileURLWithPath: path))
        // A new process for each file, or what the one before left free would hide what this takes.
        await #expect(processExitsWith: .success) { [path = path as String] in
            expectModestPeak { _ = try? open(path) }
        }
    }
}

/// Opens a checkpoint, or a configuration where it is called so.
private func open(_ path: String) throws {
    if path.hasSuffix("config.json") {
        _ = try ConfigurationFile(path: path)
    } else {
        _ = try openCheckpoint(at: path)
    }
}

/// Traps if `body` needs more than 64 MB beyond what was there before.
private func expectModestPeak(_ body: () -> Void) {
    ProcessMemory.resetPeak()
    let before = ProcessMemory.resident
    body()
    let growth = ProcessMemory.peak - before
    precondition(growth < 64 << 20, "took \(growth) bytes")
}

/// Files just below the readers' limits, full of what costs most: names, containers, nothing else.
private let largestFiles: [String: @Sendable () -> [UInt8]] = [
    "names.safetensors": {
        let entries = (0..<65_000).map {
            #""\#($0)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
        }
        return tensorFile("{\(entries.joined(separator: ","))}")
    },
    "metadata.safetensors": {
        let members = (0..<700_000).map { #""\#($0)":"""# }
        return tensorFile(#"{"__metadata__":{\#(members.joined(separator: ","))"#)
    },
    "members.index.json": {
        let members = (0..<400_000).map { #""\#($0)":0"# }
        return Array("{\"metadata\":{\(members.joined(separator: ","))".utf8.prefix(4 << 20))
    },
    "shards.index.json": {
        let shards = (0..<180_000).map { #""\#($0)":"a\#($0)""# }
        return Array("{\"weight_map\":{\(shards.joined(separator: ","))}}".utf8)
    },
    "config.json": { Array(("{\"a\":[" + String(repeating: "0,", count: 500_000)).utf8) },
    "tuples.pth": { archive(of: repeated(")\u{85}q\0")) },
    "empty-tuples.pth": { archive(of: repeated(")")) },
    "dicts.pth": { archive(of: repeated("}")) },
    "memo.pth": { archive(of: repeated("}\u{94}")) },
    "strings.pth": { archive(of: repeated("X\u{10}\0\0\0abcdefghijklmnop")) },
    "recalled.pth": { archive(of: repeated("(h\0h\0h\0h\0t", after: ")q\0")) },
    "entries.pth": {
        let names = (0..<70_000).map(String.init)
        return archive(entries: names.map { ("\($0)", []) })
    },
]

/// A file of a header, cut to the longest that is read.
private func tensorFile(_ header: String) -> [UInt8] {
    let text = header.utf8.prefix(TensorFileHeader.lengthLimit)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
}

/// Instructions over and over, up to the longest pickle that is read.
private func repeated(_ code: String, after start: String = "") -> [UInt8] {
    func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }
    let count = (Unpickler.lengthLimit - 16) / bytes(code).count
    return [0x80, 4] + bytes(start) + [[UInt8]](repeating: bytes(code), count: count).joined()
}

/// An archive with this pickle.
private func archive(of pickle: [UInt8]) -> [UInt8] {
    archive(entries: [("a/data.pkl", pickle)])
}

/// An archive of these entries.
private func archive(entries: [(String, [UInt8])]) -> [UInt8] {
    let folder = TemporaryFolder()
    let path = folder.path("a.pth")
    do {
        var builder = try ArchiveBuilder(path: path)
        for (name, bytes) in entries { try builder.add(name, bytes) }
        try builder.finish()
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
        fatalError("cannot make an archive: \(error)")
    }
}
