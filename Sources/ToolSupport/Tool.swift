import ArgumentParser
import Glibc
import Tensors

/// A command-line tool of this project: parsed options, one job, errors in git's manner.
///
/// Exit codes: 0 done, 1 failed, 64 wrong usage, 130 interrupted, 143 terminated. stdout carries data or
/// nothing; everything said to a person goes to stderr.
public protocol Tool: ParsableCommand {}

extension Tool {
    /// The name under which the tool is run and speaks.
    public static var toolName: String { configuration.commandName ?? _commandName }

    /// Parses the arguments and runs the tool; ends the process.
    public static func main() {
        ThreadWaiting.restartWithoutSpinning()
        ProcessSignals.install(tool: toolName)
        do {
            var tool = try parseAsRoot()
            try tool.run()
            Glibc.exit(0)
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Tells a person what `error` is and returns the exit code for it.
    private static func report(_ error: any Error) -> Int32 {
        let code = exitCode(for: error)
        switch code {
        case .success:
            // Help and version, asked for.
            print(message(for: error))
        case .validationFailure:
            let text = message(for: error)
            StandardError.write("\(toolName): \(text)\n\(usageString())\n")
            StandardError.write("See '\(toolName) --help' for more.\n")
        default:
            if !(error is ExitCode) { StandardError.write("\(toolName): \(describe(error))\n") }
        }
        return code.rawValue
    }
}

/// An error as one line, without control characters.
func describe(_ error: any Error) -> String {
    String(describing: error).split(whereSeparator: \.isNewline).joined(separator: "; ")
}

/// A failure for a person to read, where no library has a type of its own for it.
public struct ToolError: Error, CustomStringConvertible {
    public let description: String

    /// A failure with this one-line description.
    public init(_ description: String) {
        self.description = description
    }
}

/// The process's standard error, unbuffered.
public enum StandardError {
    /// Writes text at once; a closed stderr is no reason to fail.
    public static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let buffer = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.write(STDERR_FILENO, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Whether a person watches.
    public static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
