import Testing
import TextEncoder

@Suite struct UnigramTokenizerTests {
    @Test func givesNothingButTheEndForEmptyText() throws {
        let tokenizer = try TinyTokenizer(characters: "▁a").tokenizer()
        #expect(tokenizer.encode("").ids == [1])
        #expect(tokenizer.encode("").truncatedTokens == 0)
        #expect(tokenizer.encode(PromptCleaner.clean(" \n\t\u{3000}")).ids == [1])
    }

    @Test func takesTheLikeliestPieces() throws {
        let tiny = TinyTokenizer([
            ("▁", "-2"), ("a", "-2"), ("b", "-2"), ("ab", "-3"), ("▁a", "-3"), ("ba", "-3.5"),
        ])
        #expect(try tiny.tokens(of: "ab") == ["▁", "ab"])
        #expect(try tiny.tokens(of: "aab") == ["▁a", "ab"])
        #expect(try tiny.tokens(of: "aba") == ["▁a", "ba"])
    }

    /// A better score replaces, an equal one does not: the earlier start wins.
    @Test func keepsTheFirstOfEqualSegmentations() throws {
        let tiny = TinyTokenizer([
            ("▁", "-1"), ("a", "-1"), ("aa", "-1.5"), ("aaa", "-2.5"),
        ])
        #expect(try tiny.tokens(of: "aaa") == ["▁", "aaa"])
        let pairs = TinyTokenizer([("▁", "-1"), ("d", "-2"), ("dd", "-3")])
        #expect(try pairs.tokens(of: "ddd") == ["▁", "d", "dd"])
    }

    /// Scores are rounded as serde_json does; exactly read, the two ways are equal and the other
    /// one is taken. (tokenizers 0.23.3 gives the ids below.)
    @Test func readsScoresWithTheRoundingThatDecidesTies() throws {
        let tiny = TinyTokenizer([
            ("▁", "-13.689534157562237"), ("d", "-15.491524694395677"),
            ("dd", "-11.376855999691323"),
        ])
        #expect(try tiny.tokens(of: "ddd") == ["▁", "dd", "d"])
    }

    @Test func fusesUnknownsWithinAWord() throws {
        let tiny = TinyTokenizer(characters: "▁ab")
        #expect(try tiny.tokens(of: "xyz") == ["▁", "<unk>"])
        #expect(try tiny.tokens(of: "xayzb") == ["▁", "<unk>", "a", "<unk>", "b"])
        #expect(try tiny.tokens(of: "x y") == ["▁", "<unk>", "▁", "<unk>"])
        #expect(try tiny.tokens(of: "👩‍🚀 \u{301}") == ["▁", "<unk>", "▁", "<unk>"])
        // No blank was known before these, so the words begin unknown and stay apart.
        #expect(try TinyTokenizer(characters: "a").tokens(of: "b c") == ["<unk>", "<unk>"])
    }

    /// Byte pieces are strings like any other: there is no byte fallback.
    @Test func takesBytePiecesForStrings() throws {
        let tiny = TinyTokenizer([("▁", "-1"), ("<0x41>", "-1")])
        #expect(try tiny.tokens(of: "A") == ["▁", "<unk>"])
        #expect(try tiny.tokens(of: "<0x41>") == ["▁", "<0x41>"])
    }

    /// `é` in one code point and in two are different pieces.
    @Test func tellsEquivalentSpellingsApart() throws {
        let tiny = TinyTokenizer([("▁", "-1"), ("\u{E9}", "-1"), ("e\u{301}", "-1")])
        #expect(try tiny.tokenizer().encode("\u{E9}e\u{301}").ids == [3, 4, 5, 1])
    }

    @Test func countsTheLastOfEqualPieces() throws {
        let tiny = TinyTokenizer([("▁", "-1"), ("a", "-1"), ("a", "-2")])
        #expect(try tiny.tokenizer().encode("a").ids == [3, 5, 1])
    }

    @Test func readsBothGenerationsOfMetaspace() throws {
        var tiny = TinyTokenizer(characters: "▁ab")
        let expected = [
            (#""prepend_scheme":"always""#, ["▁", "a", "▁", "b"]),
            (#""add_prefix_space":true"#, ["▁", "a", "▁", "b"]),
            (#""replacement":"▁""#, ["▁", "a", "▁", "b"]),
            (#""prepend_scheme":"first","split":false"#, ["▁", "a", "▁", "b"]),
            (#""prepend_scheme":"never""#, ["a", "▁", "b"]),
            (#""add_prefix_space":false"#, ["a", "▁", "b"]),
        ]
        for (keys, tokens) in expected {
            tiny.preTokenizer = #"{"type":"Metaspace","replacement":"▁",\#(keys)}"#
            #expect(try tiny.tokens(of: "a b") == tokens, "\(keys)")
        }
        #expect(try TinyTokenizer(characters: "▁a").tokens(of: "▁a") == ["▁", "a"])
    }

    /// A piece with a mark inside is out of reach where words are split before marks.
    @Test(arguments: [true, false]) func splitsWordsIfAsked(splits: Bool) throws {
        var tiny = TinyTokenizer([("▁", "-3"), ("a", "-3"), ("b", "-3"), ("a▁b", "-1")])
        tiny.preTokenizer = #"{"type":"Metaspace","replacement":"▁","split":\#(splits)}"#
        #expect(try tiny.tokens(of: "a b") == (splits ? ["▁", "a", "▁", "b"] : ["▁", "a▁b"]))
    }

    @Test func cutsAndPads() throws {
        let tokenizer = try TinyTokenizer(characters: "▁a").tokenizer()
        let text = tokenizer.encode("aaaa", limit: 4)
        #expect(text.ids == [3, 4, 4, 1])
        #expect(text.length == 4)
        #expect(text.truncatedTokens == 2)
        #expect(text.padded(to: 6) == [3, 4, 4, 1, 0, 0])
        #expect(tokenizer.encode("aaaa", limit: 6).truncatedTokens == 0)
        #expect(tokenizer.encode("aaaa", limit: 1).ids == [1])
    }

    /// Two more orders of magnitude than fit: seconds if the search were quadratic.
    @Test(.timeLimit(.minutes(1))) func takesTimeInProportionToTheText() throws {
        let tokenizer = try UnigramTokenizer(contentsOf: TokenizerGoldenTests.path)
        let word = "镜头缓慢推进柔和的光线照在她的脸上"
        let once = tokenizer.encode(word, limit: 1000).length - 1
        let copies = 2000
        let text = tokenizer.encode(
            PromptCleaner.clean(String(repeating: word, count: copies)))
        #expect(text.length == 512)
        // The mark before the word comes once; what else differs are unknowns fused at the seams.
        #expect(text.truncatedTokens + 511 > (once - 2) * copies)
    }
}
