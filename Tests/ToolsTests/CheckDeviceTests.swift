import Testing

/// What `check-device` says at the end.
@Suite struct CheckDeviceTests {
    private let tool = BuiltTool(name: "check-device")

    @Test func passesWhatMatches() throws {
        let outcome = try tool.run("--filter", "layerNorm/offset")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("ok   layerNorm/offset"))
    }

    @Test func refusesAFolderWithoutGoldens() throws {
        let outcome = try tool.run("--fixtures", "nowhere")
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(
            outcome.onlyError
                == "check-device: cannot use 'nowhere': it has no folder 'goldens'")
    }

    /// A name that is mistyped checks nothing, and that must not look like success.
    @Test func failsWhereNothingMatches() throws {
        let outcome = try tool.run("--filter", "layerNrom")
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.onlyError == "check-device: no case has 'layerNrom' in its name")
    }
}
