import Foundation
import TestSupport
import Testing

/// A place for input that is wrong, and a tool that must refuse it: in one clear line, leaving what was finished before as it was.
struct Refusal {
    let folder = TemporaryFolder()

    /// Runs a tool that must say exactly this, `@` standing for the folder's path, also in front of an argument.
    ///
    /// Something finished lies where the tool is to write; it has to survive although it may be overwritten.
    func expect(
        _ line: String, status: Int32 = 1, from tool: String, _ arguments: [String],
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let output = folder.path("finished")
        try "finished".write(toFile: output, atomically: true, encoding: .utf8)
        let outcome = try BuiltTool(name: tool).run(
            arguments.map(resolve) + ["--output", output, "--overwrite", "--quiet"])
        #expect(outcome.status == status, sourceLocation: location)
        #expect(outcome.output == "", sourceLocation: location)
        #expect(
            outcome.onlyError.map { $0.replacing(folder.path + "/", with: "@") }
                == "\(tool): \(line)", "\(outcome.errors)", sourceLocation: location)
        #expect(
            try String(contentsOfFile: output, encoding: .utf8) == "finished",
            sourceLocation: location)
        #expect(
            !FileManager.default.fileExists(atPath: output + ".partial"), sourceLocation: location)
    }

    private func resolve(_ argument: String) -> String {
        argument.first == "@" ? folder.path(String(argument.dropFirst())) : argument
    }

    /// Writes a file of the folder.
    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
    }
}
