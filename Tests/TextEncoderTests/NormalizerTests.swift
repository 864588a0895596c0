import Testing
import TextEncoder

@Suite struct NormalizerTests {
    /// The tokens of a text, one per character, with one normalizer.
    func tokens(_ text: String, normalizer: String) throws -> String {
        var tiny = TinyTokenizer(characters: "▁abcxyz é\u{301}")
        tiny.normalizer = normalizer
        return try tiny.tokens(of: text).joined()
    }

    @Test func characterMapReplacesCodePoints() throws {
        let map = CharacterMapBuilder([("A", "a"), ("Ⅳ", "xy"), ("\u{200B}", " "), ("-", "")])
        #expect(try tokens("A-bⅣ", normalizer: map.normalizer) == "▁abxy")
        #expect(try tokens("c\u{200B}c", normalizer: map.normalizer) == "▁c▁c")
        #expect(try tokens("-", normalizer: map.normalizer) == "")
    }

    /// A cluster of fewer than 6 bytes is replaced whole by its shortest key, so the mark goes.
    @Test func characterMapLooksShortClustersUpWhole() throws {
        let map = CharacterMapBuilder([("a", "b"), ("e\u{301}", "é"), ("ab", "z")])
        #expect(try tokens("e\u{301}", normalizer: map.normalizer) == "▁é")
        #expect(try tokens("a\u{301}c", normalizer: map.normalizer) == "▁bc")
        #expect(try tokens("ab", normalizer: map.normalizer) == "▁bb")
        // Seven bytes: code point by code point, so the marks stay.
        #expect(
            try tokens("a\u{301}\u{301}\u{301}", normalizer: map.normalizer)
                == "▁b\u{301}\u{301}\u{301}")
    }

    @Test func characterMapPrefersTheShortestKey() throws {
        let map = CharacterMapBuilder([("e\u{301}", "y"), ("e", "x")])
        #expect(try tokens("e\u{301}", normalizer: map.normalizer) == "▁x")
    }

    @Test func stripsTheSidesAskedFor() throws {
        let strip = { (left: Bool, right: Bool) in
            #"{"type":"Strip","strip_left":\#(left),"strip_right":\#(right)}"#
        }
        #expect(try tokens(" a\u{3000}", normalizer: strip(false, true)) == "▁a")
        #expect(try tokens("  a ", normalizer: strip(true, false)) == "▁a▁")
        #expect(try tokens(" \u{A0} ", normalizer: strip(false, true)) == "")
    }

    @Test(arguments: [" ", "▁"]) func replacesRunsOfBlanks(content: String) throws {
        let replace =
            #"{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"\#(content)"}"#
        #expect(try tokens("a b  c    x", normalizer: replace) == "▁a▁b▁c▁x")
        #expect(try tokens("   a", normalizer: replace) == "▁a")
        let without = try tokens("a  b", normalizer: "null")
        #expect(without == "▁a▁▁b")
    }

    @Test func runsSequencesInOrder() throws {
        let map = CharacterMapBuilder([("_", " ")]).normalizer
        let strip = #"{"type":"Strip","strip_left":true,"strip_right":true}"#
        let sequence = { (first: String, second: String) in
            #"{"type":"Sequence","normalizers":[\#(first),\#(second)]}"#
        }
        #expect(try tokens("_a_", normalizer: sequence(map, strip)) == "▁a")
        #expect(try tokens("_a_", normalizer: sequence(strip, map)) == "▁a▁")
    }

    /// Whatever a map holds, decoding its bytes gives text and not a crash.
    @Test func survivesReplacementsThatAreNoText() throws {
        var map = CharacterMapBuilder([("A", "a")])
        map.strings[0] = 0xFF
        #expect(try tokens("A", normalizer: map.normalizer) == "▁<unk>")
    }
}
