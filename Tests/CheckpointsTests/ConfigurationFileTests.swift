import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// `config.json` read key by key.
@Suite struct ConfigurationFileTests {
    let folder = TemporaryFolder()

    private func configuration(_ text: String) throws -> ConfigurationFile {
        let path = folder.path("config.json")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return try ConfigurationFile(path: path)
    }

    @Test func readsThePublishedKeys() throws {
        let file = try ConfigurationFile(
            path: Fixtures.path("open/ckpt/Wan2.2-S2V-14B/config.json"))
        #expect(try file.integer("dim") == 48)
        #expect(try file.number("eps") == 1e-6)
        #expect(try file.bool("enable_motioner") == false)
        #expect(try file.string("adain_mode") == "attn_norm")
        #expect(try file.integers("audio_inject_layers") == [0, 2])
        #expect(try file.integer("absent", default: 3) == 3)
    }

    @Test func namesTheFileAndTheKey() throws {
        let file = try configuration(#"{"a": "x", "b": true, "c": -1, "d": [1, 2.5], "e": null}"#)
        let start = "cannot read '\(folder.path("config.json"))': key "
        let cases: [(String, (String) throws -> Void)] = [
            ("'a' is 'x', expected an integer of at least 1", { _ = try file.integer($0) }),
            ("'a' is 'x', expected a number", { _ = try file.number($0) }),
            ("'b' is true, expected a string", { _ = try file.string($0) }),
            ("'b' is true, expected an integer of at least 1", { _ = try file.integer($0) }),
            ("'c' is -1, expected an integer of at least 1", { _ = try file.integer($0) }),
            ("'c' is -1, expected true or false", { _ = try file.bool($0) }),
            (
                "'d' is an array, expected an array of integers of at least 0",
                { _ = try file.integers($0) }
            ),
            ("'e' is missing, expected true or false", { _ = try file.bool($0) }),
        ]
        for (message, read) in cases {
            let key = String(message.dropFirst().prefix(1))
            let error = #expect(throws: TensorFileError.self) { try read(key) }
            #expect(error?.description == start + message)
        }
    }

    @Test(arguments: [
        "", "[]", "{", #"{"a": 1,}"#, #"{"a": 1} x"#, #"{"a": 1, "a": 2}"#, #"{"a": 0x1}"#,
        #"{"a": inf}"#, #"{"a": 1e}"#, #"{a: 1}"#,
        #"{"a": \#(String(repeating: "[", count: 100_000))"#,
    ])
    func refusesWhatIsNoObject(text: String) throws {
        let error = #expect(throws: TensorFileError.self) { try configuration(text) }
        #expect(error?.path == folder.path("config.json"))
    }
}
