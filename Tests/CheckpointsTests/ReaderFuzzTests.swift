import ReaderFuzzing
import TestSupport
import Testing

/// A short run of the fuzzer; `make fuzz` runs a long one.
@Suite struct ReaderFuzzTests {
    @Test func survivesDamage() throws {
        let folder = TemporaryFolder()
        var fuzzer = try ReaderFuzzer(seed: 2, folder: folder.path)
        try fuzzer.run(count: 20_000)
        #expect(fuzzer.tallies.count == 5)
        #expect(fuzzer.tallies.values.map { $0.opened + $0.refused }.reduce(0, +) == 20_000)
        // Damage that never leaves a file sound, or never breaks it, would test nothing.
        for kind in ["tensor files", "archives", "pickles in sound archives"] {
            let tally = try #require(fuzzer.tallies[kind])
            #expect(tally.opened > 0 && tally.refused > 0)
        }
        #expect(fuzzer.slowest < .seconds(2))
    }
}
