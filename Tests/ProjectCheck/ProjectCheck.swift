import Foundation

/// Checks what the compiler does not: that the rooms use only what stands below them, that sizes of the
/// published model are not literals, and that the text is English.
///
/// Usage: ProjectCheck PACKAGE.json, as `swift package describe --type json` prints it, from the package's root.
@main struct ProjectCheck {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: ProjectCheck PACKAGE.json\n".utf8))
            exit(64)
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: arguments[1]))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let package = try decoder.decode(Package.self, from: data)
        var problems: [String] = []
        for target in package.targets {
            problems += Arrows.problems(of: target)
            for file in try SourceFile.all(of: target) {
                problems += Arrows.problems(in: file, of: target, package: package)
                problems += Wording.problems(in: file)
            }
        }
        for problem in problems.sorted() { print(problem) }
        exit(problems.isEmpty ? 0 : 1)
    }
}

/// What SwiftPM says of a package.
struct Package: Decodable {
    /// One target: a room, a tool or tests.
    struct Target: Decodable {
        let name: String
        let type: String
        let path: String
        let sources: [String]
        let targetDependencies: [String]?
        let productDependencies: [String]?

        /// The other targets of this package that it declares.
        var rooms: [String] { targetDependencies ?? [] }
        /// Everything that it may import by its declaration.
        var declared: Set<String> { Set(rooms + (productDependencies ?? [])) }
    }

    let targets: [Target]
}

/// A source file's lines.
struct SourceFile {
    let path: String
    let lines: [Substring]

    /// The files of a target, read from the package's root.
    static func all(of target: Package.Target) throws -> [SourceFile] {
        try target.sources.map { source in
            let path = "\(target.path)/\(source)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return SourceFile(
                path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }
}
