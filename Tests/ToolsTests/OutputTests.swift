import Foundation
import TestSupport
import Testing

/// Where tools write: what they replace, what they refuse, and disks that are full.
@Suite struct OutputTests {
    let folder = TemporaryFolder()

    /// A tool, and how it is run but for its output.
    struct Run: CustomTestStringConvertible, Sendable {
        let tool: String
        let arguments: @Sendable (TinyRun) -> [String]
        var testDescription: String { tool }
    }

    static let filesByTools = [
        Run(tool: "encode-text") { _ in
            let prompt = String(repeating: "A man speaks. ", count: 100)
            return ["--weights", TinyRun.weights, "--prompt", prompt]
        },
        Run(tool: "encode-audio") { _ in ["--weights", TinyRun.weights, TinyRun.voice] },
        Run(tool: "encode-vae") { _ in
            ["--weights", TinyRun.weights, "--size", "64x64", TinyRun.image]
        },
        Run(tool: "mux-video") { ["--audio", TinyRun.voice, $0.frames] },
    ]
    static let streamsByTools = [
        Run(tool: "denoise-latents") { $0.denoising },
        Run(tool: "decode-vae") { ["--weights", TinyRun.weights, $0.latents] },
    ]

    private func line(_ run: Run, to output: String, _ more: String...) throws -> Substring {
        let outcome = try BuiltTool(name: run.tool).run(
            run.arguments(TinyRun.get()) + ["--quiet", "--output", output] + more)
        #expect(outcome.status == 1)
        return try #require(outcome.onlyError, "\(outcome.errors)")
    }

    @Test func outputHasAName() throws {
        let outcome = try BuiltTool(name: "encode-text").run(
            "--weights", TinyRun.weights, "--prompt", "x", "--output", "")
        #expect(outcome.status == 64)
        #expect(
            outcome.onlyError == "encode-text: --output is empty (see 'encode-text --help')")
    }

    /// Whoever asks what a run that goes on does is told.
    @Test func goingOnIsTold() throws {
        let (run, latents) = (try TinyRun.get(), folder.path("latents"))
        try FileManager.default.copyItem(atPath: run.latents, toPath: latents)
        let last = try #require(blocks(of: latents).keys.filter { $0 != "lead.safetensors" }.max())
        for name in [last, "end.json"] {
            try FileManager.default.removeItem(atPath: latents + "/" + name)
        }
        let outcome = try BuiltTool(name: "denoise-latents").run(
            run.denoising + ["--verbose", "--output", latents])
        #expect(outcome.status == 0)
        let count = try #require(Int(last.prefix(6)))
        for line in [
            "matrices are float32 on cpu, activations float32",
            "\(count) of \(count + 1) blocks are there",
            "block \(count - 1) came out as it was written",
        ] {
            #expect(outcome.errors.contains("denoise-latents: \(line)\n"), "\(outcome.errors)")
        }
        #expect(try blocks(of: latents) == blocks(of: run.latents))
    }

    @Test(arguments: filesByTools)
    func anybodysFileIsReplacedOnlyWhenAsked(run: Run) throws {
        let path = folder.path("face.png")
        try "a face".write(toFile: path, atomically: true, encoding: .utf8)
        let line = try line(run, to: path)
        #expect(line.hasPrefix("\(run.tool): cannot write '\(path)': it exists"))
        #expect(line.hasSuffix("; --overwrite replaces it"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a face")
        let asked = try BuiltTool(name: run.tool).run(
            run.arguments(TinyRun.get()) + ["--output", path, "--overwrite"])
        #expect(asked.status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > 100)
    }

    @Test func aConditionIsMadeAgainIfItIsTheSame() throws {
        let path = folder.path("text.safetensors")
        let tool = BuiltTool(name: "encode-text")
        let arguments = ["--weights", TinyRun.weights, "--output", path, "--prompt"]
        #expect(try tool.run(arguments + ["A man."]).status == 0)
        #expect(try tool.run(arguments + ["A man."]).status == 0)
        let outcome = try tool.run(arguments + ["A woman."])
        #expect(
            outcome.errors
                == "encode-text: cannot write '\(path)': it was made with other inputs or options; --overwrite replaces it\n"
        )
    }

    @Test(arguments: filesByTools)
    func whatCannotBeWritten(run: Run) throws {
        let none = folder.path("none/file")
        #expect(try line(run, to: none).hasSuffix("': No such file or directory"))
        #expect(
            try line(run, to: folder.path, "--overwrite")
                == "\(run.tool): cannot write '\(folder.path)': Is a directory")
        #expect(
            try line(run, to: "/dev/null", "--overwrite")
                == "\(run.tool): cannot write '/dev/null': Operation not permitted")
    }

    @Test(arguments: streamsByTools)
    func whatCannotHoldAStream(run: Run) throws {
        let none = folder.path("none/stream")
        #expect(
            try line(run, to: none)
                == "\(run.tool): cannot create '\(none)': No such file or directory")
        let file = folder.path("file")
        try "a file".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(
            try line(run, to: file, "--overwrite")
                == "\(run.tool): cannot create '\(file)': it is a file, a stream needs a folder")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "a file")
    }

    @Test(arguments: streamsByTools)
    func anotherStreamIsReplacedOnlyWhenAsked(run: Run) throws {
        let output = folder.path("stream")
        let tool = BuiltTool(name: run.tool)
        let arguments = try run.arguments(TinyRun.get()) + ["--quiet", "--output", output]
        #expect(try tool.run(arguments).status == 0)
        let before = try blocks(of: output)
        let outcome = try tool.run(arguments + ["--precision", "bf16"])
        #expect(
            outcome.errors
                == "\(run.tool): cannot continue '\(output)': option 'precision' is bf16, it was f32; --overwrite starts anew\n"
        )
        #expect(try blocks(of: output) == before)
    }

    // MARK: Full disks

    /// In a mount namespace of its own, a disk of so many kilobytes at "$1" for `line`; nil where the system does not allow that.
    private func onSmallDisk(
        _ kilobytes: Int, _ tool: String, _ line: String, _ arguments: [String]
    ) throws -> BuiltTool.Outcome? {
        let disk = folder.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mount =
            "mount -t tmpfs -o size=\(kilobytes)k none \"$1\" || exit 99; cd \"$1\"; \(line)"
        let process = BuiltTool(name: tool).process(
            ["-rm", "sh", "-c", mount, BuiltTool(name: tool).path, disk] + arguments)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        let outcome = try BuiltTool.finish(process)
        return outcome.status == 99 || outcome.errors.hasPrefix("unshare: ") ? nil : outcome
    }

    @Test(arguments: filesByTools)
    func aFullDiskLeavesNoFile(run: Run) throws {
        let line = "\"$0\" \"$@\" --quiet --output file; echo $?; ls"
        let arguments = try run.arguments(TinyRun.get())
        guard let outcome = try onSmallDisk(8, run.tool, "shift; " + line, arguments) else {
            return try aFileLimitLeavesNoFile(run)
        }
        #expect(outcome.output == "1\n")
        let error = try #require(outcome.onlyError, "\(outcome.errors)")
        #expect(error.hasPrefix("\(run.tool): cannot "))
        #expect(error.hasSuffix("': No space left on device"))
    }

    /// Where no disk can be mounted: files cannot grow beyond 4 kB.
    private func aFileLimitLeavesNoFile(_ run: Run) throws {
        print("no small disk can be mounted here, so files are limited instead")
        let output = folder.path("file")
        let process = BuiltTool(name: run.tool).process(
            ["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"", BuiltTool(name: run.tool).path]
                + run.arguments(try TinyRun.get()) + ["--quiet", "--output", output])
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let outcome = try BuiltTool.finish(process)
        #expect(outcome.status == 1)
        #expect(outcome.onlyError?.hasSuffix("': File too large") == true, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: output))
    }

    /// The blocks that had room are there, and with more room the tool goes on behind them.
    @Test(arguments: streamsByTools)
    func aFullDiskLosesNoBlock(run: Run) throws {
        let result = folder.path("result")
        let line = """
            disk=$1; result=$2; shift 2
            "$0" "$@" --quiet --output stream; echo $?; ls stream | grep -c safetensors
            mount -o remount,size=10m "$disk"; "$0" "$@" --quiet --output stream; echo $?
            cp -r stream "$result"
            """
        let arguments = try [result] + run.arguments(TinyRun.get())
        let kilobytes = run.tool == "decode-vae" ? 420 : 160
        guard let outcome = try onSmallDisk(kilobytes, run.tool, line, arguments) else {
            return print("no small disk can be mounted here")
        }
        let words = outcome.output.split(separator: "\n").map { Int($0) }
        #expect(words.count == 3 && words[0] == 1 && words[2] == 0, "\(outcome.output)")
        #expect((1..<5).contains(words[1] ?? 0), "\(words)")
        #expect(
            outcome.onlyError?.hasSuffix("No space left on device") == true, "\(outcome.errors)")
        let whole = try run.tool == "decode-vae" ? TinyRun.get().frames : TinyRun.get().latents
        #expect(try blocks(of: result) == blocks(of: whole))
    }
}
