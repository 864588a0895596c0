import Foundation
import StreamProbe
import TestSupport
import Testing

/// The built `inspect-tensors`: exit codes, errors, silence. What it prints is tested with its library.
@Suite struct InspectTensorsTests {
    let tool = BuiltTool(name: "inspect-tensors")
    let folder = TemporaryFolder()

    @Test func listsToStdout() throws {
        let path = Fixtures.path("readers/unaligned.safetensors")
        let outcome = try tool.run(path, "--stats")
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(
            outcome.output == """
                file        \(path)
                format      safetensors
                kind        unknown
                version     unknown
                provenance  unknown
                tensors     2, 20 bytes

                tensor   type     shape  bytes           min           max          mean     deviation  zeros    nan    inf
                float64  float64  [2]       16       -1e+300          0.25       -5e+299           inf      0      0      0
                int16    int16    [1,2]      4            -2           300           149           151      0      0      0

                """)
    }

    @Test(arguments: ["open/ckpt", "open/goldens", "readers"])
    func checkIsSilentOnWhatIsFine(name: String) throws {
        let outcome = try tool.run("--check", Fixtures.path(name))
        #expect(outcome.status == 0)
        #expect(outcome.output == "")
        #expect(outcome.errors == "")
    }

    @Test func checkIsSilentOnACompleteStream() throws {
        let path = folder.path("latents")
        try SyntheticStream(blocks: 3).write(to: path)
        let outcome = try tool.run("--check", path)
        #expect(outcome.status == 0)
        #expect(outcome.output + outcome.errors == "")
    }

    @Test func everyHostileFileEndsInOneLine() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path("hostile"))
        #expect(files.count >= 40)
        for file in files.sorted() {
            let path = Fixtures.path("hostile/\(file)")
            let outcome = try tool.run("--check", path)
            #expect(outcome.status == 1, "\(file)")
            #expect(outcome.output == "", "\(file)")
            let line = try #require(outcome.onlyError, "\(file)")
            #expect(line.hasPrefix("inspect-tensors: "), "\(file)")
            #expect(line.contains("'\(path)'"), "\(file)")
        }
    }

    @Test func missingAndUnfitPathsAreNamed() throws {
        let missing = folder.path("missing")
        #expect(
            try tool.run(missing).errors
                == "inspect-tensors: cannot open '\(missing)': No such file or directory\n")
        #expect(
            try tool.run(folder.path).errors
                == "inspect-tensors: '\(folder.path)': there is no stream.json, tensor file or checkpoint in this folder\n"
        )
        let device = try tool.run("--check", "/dev/null")
        #expect(device.status == 1)
        #expect(device.onlyError?.contains("'/dev/null'") == true)
        let cut = folder.path("cut.safetensors")
        let whole = try Data(
            contentsOf: URL(fileURLWithPath: Fixtures.path("readers/every-type.safetensors")))
        try whole.dropLast().write(to: URL(fileURLWithPath: cut))
        let damaged = try tool.run(cut)
        #expect(damaged.status == 1)
        #expect(damaged.output == "")
        #expect(damaged.onlyError?.contains("'\(cut)': tensor 'bool' is truncated") == true)
    }

    @Test(arguments: [
        [], ["a", "b"], ["a", "--stats", "--check"], ["a", "--tolerance", "0.1"],
        ["a", "--compare", "b", "--tolerance=-1"], ["a", "--compare", "b", "--tolerance", "nan"],
        ["a", "--check", "--json"], ["a", "--check", "--tensor", "b"], ["a", "--preview"],
        ["a", "--sync"], ["a", "--sync", "b", "--stats"], ["a", "--sync", "b", "--tensor", "c"],
    ])
    func wrongUsageIsToldInOneLine(arguments: [String]) throws {
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        #expect(outcome.onlyError?.hasSuffix("(see 'inspect-tensors --help')") == true)
    }

    @Test func comparesLikeCmp() throws {
        let (a, b) = (folder.path("a"), folder.path("b"))
        try SyntheticStream(blocks: 2).write(to: a)
        try SyntheticStream(blocks: 2, seed: 421).write(to: b)
        let same = try tool.run("--compare", a, a)
        #expect(same.status == 0)
        #expect(same.output.split(separator: "\n").count == 1 + 3 + 1)
        let different = try tool.run("--compare", a, b, "--tolerance", "0")
        #expect(different.status == 1)
        #expect(different.errors == "")
        #expect(different.output.contains("differs  000001.safetensors:latents"))
        let near = try tool.run("--compare", a, b, "--tolerance", "1")
        #expect(near.status == 0)
        let trouble = try tool.run("--compare", a, folder.path("missing"))
        #expect(trouble.status == 2)
        #expect(trouble.onlyError?.contains("/missing'") == true)
    }

    @Test func previewIsWrittenAndNothingSaid() throws {
        let (stream, picture) = (folder.path("latents"), folder.path("sheet.png"))
        try SyntheticStream(blocks: 2).write(to: stream)
        let outcome = try tool.run("--preview", picture, stream)
        #expect(outcome.status == 0)
        #expect(outcome.output + outcome.errors == "")
        let signature = try FileHandle(forReadingFrom: URL(fileURLWithPath: picture))
            .read(upToCount: 4)
        #expect(signature == Data([0x89] + "PNG".utf8))
        let failed = try tool.run("--preview", folder.path("no/sheet.png"), stream)
        #expect(failed.status == 1)
        #expect(failed.onlyError?.contains("no/sheet.png") == true)
    }

    @Test func closedPipesEndQuietly() throws {
        let outcome = try tool.shell(
            "{ while :; do \"$0\" \"$1\" || { echo $? >&2; break; }; done; } | head -n 1",
            Fixtures.path("open/ckpt"))
        #expect(outcome.output.hasPrefix("file  "))
        #expect(outcome.errors == "141\n")
    }

    @Test func signalsStopALongRead() throws {
        // A sparse file whose zeros take a while to count.
        let path = folder.path("large.safetensors")
        let count = 1 << 33
        let header = #"{"a":{"dtype":"F32","shape":[\#(count)],"data_offsets":[0,\#(4 * count)]}}"#
        let prefix = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        try (prefix + Data(header.utf8)).write(to: URL(fileURLWithPath: path))
        truncate(path, prefix.count + header.utf8.count + 4 * count)
        let process = tool.process(["--stats", path])
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        _ = output.fileHandleForReading.availableData
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(BuiltTool.status(of: process) == 130)
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        #expect(String(decoding: said, as: UTF8.self) == "inspect-tensors: interrupted\n")
    }
}
