import Foundation
import TestSupport
import Testing

/// What every tool does alike with its arguments.
@Suite struct HelpTests {
    /// Whether the texts are to be written anew.
    private static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_HELP"] != nil

    /// The whole text is pinned in `Tests/Fixtures/help`. After a change that is meant, write it anew:
    ///
    ///     UPDATE_HELP=1 swift test -c release --disable-xctest --filter HelpTests
    @Test(arguments: BuiltTool.all)
    func isPinned(tool: BuiltTool) throws {
        let outcome = try tool.run("--help")
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        let pinned = Fixtures.path("help/\(tool.name).txt")
        if Self.isUpdating {
            try outcome.output.write(toFile: pinned, atomically: true, encoding: .utf8)
        }
        #expect(try outcome.output == String(contentsOfFile: pinned, encoding: .utf8))
    }

    @Test(.disabled(if: isUpdating)) func nothingElseIsPinned() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path("help"))
        #expect(names.sorted() == BuiltTool.all.map { $0.name + ".txt" })
    }

    @Test(arguments: BuiltTool.all)
    func tellsTheVersion(tool: BuiltTool) throws {
        let outcome = try tool.run("--version")
        #expect(outcome.status == 0)
        #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: BuiltTool.all)
    func refusesUnknownOptions(tool: BuiltTool) throws {
        let outcome = try tool.run("--no-such-option")
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        let line = try #require(outcome.onlyError)
        #expect(line.hasPrefix("\(tool.name): "))
        #expect(line.hasSuffix("(see '\(tool.name) --help')"))
    }
}
