import Foundation

/// The arguments of a benchmark, taken out one by one.
package struct Arguments {
    /// What nobody has taken out yet.
    package private(set) var rest = Array(CommandLine.arguments.dropFirst())

    /// Those of this process.
    package init() {}

    /// Takes an option without a value out; whether it was there.
    package mutating func flag(_ name: String) -> Bool {
        guard let index = rest.firstIndex(of: name) else { return false }
        rest.remove(at: index)
        return true
    }

    /// Takes an option and its value out.
    package mutating func option(_ name: String) -> String? {
        guard let index = rest.firstIndex(of: name), index + 1 < rest.count else { return nil }
        defer { rest.removeSubrange(index...index + 1) }
        return rest[index + 1]
    }

    /// Ends the process with a message unless everything was taken out.
    package func end() {
        guard let first = rest.first else { return }
        let name = URL(fileURLWithPath: CommandLine.arguments[0]).lastPathComponent
        FileHandle.standardError.write(Data("\(name): what is '\(first)'?\n".utf8))
        exit(64)
    }
}
