import ArgumentParser
import Glibc
import Tensors

/// A command-line tool of this project: parsed options, one job, errors in git's manner.
///
/// Exit codes: 0 done, 1 failed, 64 wrong usage, 130 interrupted, 143 terminated, and 141, without a word,
/// where nobody reads stdout any more. stdout carries data or nothing; everything said to a person goes to
/// stderr, an error in one line.
public protocol Tool: ParsableCommand {}

extension Tool {
    /// The name under which the tool is run and speaks.
    public static var toolName: String { configuration.commandName ?? _commandName }

    /// Parses the arguments and runs the tool; ends the process.
    public static func main() {
        ThreadWaiting.restartWithoutSpinning()
        reserveStandardDescriptors()
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
        switch exitCode(for: error) {
        case .success:
            // Help and version, asked for.
            return show(message(for: error))
        case .validationFailure:
            StandardError.write(
                "\(toolName): \(usageProblem(message(for: error))) (see '\(toolName) --help')\n")
            return ExitCode.validationFailure.rawValue
        case let code where error is ExitCode:
            return code.rawValue
        case let code:
            StandardError.write("\(toolName): \(describe(error))\n")
            return (error as? ToolError)?.exitCode ?? code.rawValue
        }
    }

    /// Writes what was asked for to stdout and returns the exit code.
    private static func show(_ text: String) -> Int32 {
        do {
            try StandardOutput.write(text + "\n")
            return ExitCode.success.rawValue
        } catch {
            return report(error)
        }
    }
}

/// An error as one line, without control characters.
func describe(_ error: any Error) -> String { oneLine(String(describing: error)) }

/// What is wrong with a command line, in the manner of the other errors: no capital, no full stop.
private func usageProblem(_ message: String) -> String {
    let line = oneLine(message)
    let start = line.prefix(1).lowercased() + line.dropFirst()
    return start.hasSuffix(".") ? String(start.dropLast()) : start
}

/// A text's lines as one, without control characters.
private func oneLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    var plain = ""
    for scalar in line.unicodeScalars {
        plain.unicodeScalars.append(scalar.properties.generalCategory == .control ? "?" : scalar)
    }
    return plain
}

/// A failure for a person to read, where no library has a type of its own for it.
public struct ToolError: Error, CustomStringConvertible {
    public let description: String
    /// What the process ends with.
    public let exitCode: Int32

    /// A failure with this one-line description.
    public init(_ description: String, exitCode: Int32 = 1) {
        self.description = description
        self.exitCode = exitCode
    }

    /// A failure that another error describes, where the tool documents an exit code of its own.
    public init(_ error: any Error, exitCode: Int32) {
        self.init(describe(error), exitCode: exitCode)
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
