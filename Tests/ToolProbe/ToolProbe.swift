import ArgumentParser
import Glibc
import Tensors
import ToolSupport

/// A tool that does one thing that goes wrong or never ends, for the tests of what all tools do alike.
@main struct ToolProbe: Tool {
    static let configuration = CommandConfiguration(
        commandName: "tool-probe", abstract: "Fail, wait, or talk.", version: Project.version)

    /// What to do.
    enum Deed: String, ExpressibleByArgument, CaseIterable {
        /// Begin a file, say so, and wait for ever.
        case wait
        /// Throw an error whose description has control characters and two lines.
        case fail
        /// Throw an error with an exit code of its own.
        case failSpecially
        /// Write lines to stdout until that fails.
        case talk
        /// Open a file and say which descriptor it got.
        case open
    }

    @Argument(help: "What to do.") var deed: Deed
    @Option(help: "A file to begin.") var output: String?
    @OptionGroup(title: "Reports") var report: ReportOptions

    func run() throws {
        switch deed {
        case .wait:
            let file = try output.map { try PartialFile(path: $0) }
            try StandardOutput.write("waiting\n")
            while true { pause() }
            _ = file
        case .fail: throw ToolError("cannot read 'a\u{1B}[31m':\nnot one line")
        case .failSpecially: throw ToolError(SystemError("open", "b", code: ENOENT), exitCode: 2)
        case .talk: while true { try StandardOutput.write("a line\n") }
        case .open:
            let descriptor = Glibc.open("/dev/null", O_RDONLY)
            StandardError.write("\(descriptor)\n")
        }
    }
}
