import Foundation
import TestSupport
import Testing

/// What every tool does alike with errors, signals and pipes, shown with a tool made for it.
@Suite struct MannersTests {
    let probe = BuiltTool(name: "ToolProbe")
    let folder = TemporaryFolder()

    @Test func errorsAreOneLine() throws {
        let outcome = try probe.run("fail")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "tool-probe: cannot read 'a?[31m':; not one line\n")
    }

    @Test func errorsMayHaveAnExitCode() throws {
        let outcome = try probe.run("failSpecially")
        #expect(outcome.status == 2)
        #expect(outcome.errors == "tool-probe: cannot open 'b': No such file or directory\n")
    }

    @Test func wrongUsageIsOneLine() throws {
        let outcome = try probe.run("fail", "--quiet", "--verbose")
        #expect(outcome.status == 64)
        #expect(
            outcome.errors
                == "tool-probe: --quiet and --verbose exclude each other (see 'tool-probe --help')\n"
        )
    }

    @Test(arguments: [(SIGINT, 130, "interrupted"), (SIGTERM, 143, "terminated")])
    func signalsLeaveNothingHalfWritten(signal: Int32, status: Int32, word: String) throws {
        let output = folder.path("result")
        let running = try Waiting(probe.process(["wait", "--output", output]))
        #expect(FileManager.default.fileExists(atPath: output + ".partial"))
        kill(running.process.processIdentifier, signal)
        #expect(try running.end() == "tool-probe: \(word)\n")
        #expect(BuiltTool.status(of: running.process) == status)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func ignoredSignalsStayIgnored() throws {
        let process = probe.process(["-c", "trap '' INT; exec \"$0\" wait", probe.path])
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let running = try Waiting(process)
        kill(process.processIdentifier, SIGINT)
        // Were it not ignored, it would be the first to arrive.
        usleep(100_000)
        kill(process.processIdentifier, SIGTERM)
        #expect(try running.end() == "tool-probe: terminated\n")
    }

    @Test func closedPipesEndQuietly() throws {
        let outcome = try probe.shell("{ \"$0\" talk; echo $? >&2; } | head -n 1")
        #expect(outcome.output == "a line\n")
        #expect(outcome.errors == "141\n")
    }

    @Test func fullDisksAreNoticed() throws {
        let outcome = try probe.shell("\"$0\" talk > /dev/full")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors
                == "tool-probe: cannot write 'standard output': No space left on device\n")
    }

    @Test func closedOutputIsNoticed() throws {
        #expect(try probe.shell("\"$0\" talk >&-").status == 1)
        #expect(try probe.shell("\"$0\" open >&- <&-").errors == "3\n")
        #expect(try probe.shell("\"$0\" fail 2>&-").status == 1)
    }
}

/// A process that has said that it waits.
private struct Waiting {
    let process: Process
    private let errors = Pipe()

    /// Starts a process and waits for its first word.
    init(_ process: Process) throws {
        self.process = process
        let output = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let word = output.fileHandleForReading.availableData
        #expect(String(decoding: word, as: UTF8.self) == "waiting\n")
    }

    /// What it says until it ends.
    func end() throws -> String {
        process.waitUntilExit()
        return String(
            decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
}
