import Testing
import TextEncoder

@Suite struct AddedTokenTests {
    /// The tokens of a text with one more added token, of id 90.
    func tokens(_ text: String, content: String, _ flags: String = "") throws -> [String] {
        var tiny = TinyTokenizer(characters: "▁abcdIV")
        tiny.normalizer = CharacterMapBuilder([("Ⅳ", "IV")]).normalizer
        tiny.addedTokens = [#"{"id":90,"content":"\#(content)"\#(flags)}"#]
        return try tiny.tokens(of: text)
    }

    @Test func splitsAtEveryOccurrence() throws {
        #expect(
            try tokens("</s>a<x><x> b", content: "<x>")
                == ["</s>", "▁", "a", "#90", "#90", "▁", "b"])
        #expect(try tokens("<x", content: "<x>") == ["▁", "<unk>"])
    }

    @Test func prefersTheLongest() throws {
        #expect(try tokens("<unk>", content: "<unk>>") == ["<unk>"])
        #expect(try tokens("<unk>>", content: "<unk>>") == ["#90"])
    }

    @Test func swallowsBlanksIfAsked() throws {
        #expect(
            try tokens("a  <x>  b", content: "<x>") == ["▁", "a", "▁", "▁", "#90", "▁", "▁", "b"])
        #expect(
            try tokens("a  <x>  b", content: "<x>", #","lstrip":true"#)
                == ["▁", "a", "#90", "▁", "▁", "b"])
        #expect(
            try tokens("a <x> <x> b", content: "<x>", #","lstrip":true,"rstrip":true"#)
                == ["▁", "a", "#90", "#90", "▁", "b"])
    }

    @Test func standsAloneIfAsked() throws {
        let flag = #","single_word":true"#
        #expect(try tokens("ab a,ab", content: "ab", flag) == ["#90", "▁", "a", "<unk>", "#90"])
        #expect(try tokens("abab", content: "ab", flag) == ["▁", "a", "b", "a", "b"])
        #expect(try tokens("ab_", content: "ab", flag) == ["▁", "a", "b", "<unk>"])
    }

    @Test func isFoundAfterNormalisationIfAsked() throws {
        #expect(try tokens("aⅣ", content: "IV") == ["▁", "a", "I", "V"])
        #expect(try tokens("aⅣ", content: "IV", #","normalized":true"#) == ["▁", "a", "#90"])
        #expect(try tokens("IV", content: "Ⅳ", #","normalized":true"#) == ["#90"])
    }

    @Test func countsForTheLargestId() throws {
        var tiny = TinyTokenizer(characters: "▁")
        #expect(try tiny.tokenizer().largestID == 3)
        tiny.addedTokens = [#"{"id":90,"content":"x"}"#]
        #expect(try tiny.tokenizer().largestID == 90)
    }
}
