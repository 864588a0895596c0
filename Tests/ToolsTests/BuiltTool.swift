import Foundation
import TestSupport
import Testing

/// A tool as it was built, beside the tests, and what came of running it.
struct BuiltTool: CustomTestStringConvertible, Sendable {
    /// The name under which it is run.
    let name: String

    /// Every tool of the project: the folders in `Sources` that are named like a command. Package.swift makes
    /// the tests depend on the same ones, so that they are built.
    static let all: [BuiltTool] = {
        let sources = URL(fileURLWithPath: Fixtures.path).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
        return names.filter { $0.contains("-") }.sorted().map(BuiltTool.init)
    }()

    /// The tool's file.
    var path: String {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent(name).path
    }

    var testDescription: String { name }

    /// What a run left.
    struct Outcome {
        /// The exit code; of a process that a signal ended, 1000 and the signal's number.
        let status: Int32
        /// What it wrote to stdout.
        let output: String
        /// What it wrote to stderr.
        let errors: String

        /// The lines of stderr.
        var errorLines: [Substring] {
            errors.split(separator: "\n", omittingEmptySubsequences: false)
        }

        /// The error if it is one whole line, nil otherwise.
        var onlyError: Substring? {
            errorLines.count == 2 && errorLines[1].isEmpty && !errorLines[0].isEmpty
                ? errorLines[0] : nil
        }
    }

    /// A process of this tool that is not yet running, in a terminal-like environment of 80 columns.
    func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "80"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs the tool to its end.
    func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

    /// Runs the tool to its end.
    func run(_ arguments: [String]) throws -> Outcome { try Self.finish(process(arguments)) }

    /// Runs a shell's line, in which "$0" is the tool and "$1" the first of the arguments.
    func shell(_ line: String, _ arguments: String...) throws -> Outcome {
        let process = process(["-c", line, path] + arguments)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        return try Self.finish(process)
    }

    /// Runs a process to its end, its output going to files, which never fill up as pipes do.
    static func finish(_ process: Process) throws -> Outcome {
        let folder = TemporaryFolder()
        let paths = [folder.path("output"), folder.path("errors")]
        let files = try paths.map { path in
            try Data().write(to: URL(fileURLWithPath: path))
            return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        }
        process.standardOutput = files[0]
        process.standardError = files[1]
        try process.run()
        process.waitUntilExit()
        let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Outcome(status: status(of: process), output: texts[0], errors: texts[1])
    }

    /// How a process ended.
    static func status(of process: Process) -> Int32 {
        process.terminationReason == .exit
            ? process.terminationStatus : 1000 + process.terminationStatus
    }
}
