import Foundation
import Tensors
import TestSupport
import Testing
import TextEncoder

/// Files that are broken, foreign or hostile: each is refused with a line that names file and key.
@Suite struct TokenizerFileTests {
    let valid = TinyTokenizer(characters: "▁ab").json

    /// The key and reason of the error that opening `json` throws.
    func complaint(about json: String, sourceLocation: SourceLocation = #_sourceLocation) -> String
    {
        do {
            _ = try open(json)
            Issue.record("was accepted", sourceLocation: sourceLocation)
            return ""
        } catch let error as TokenizerFileError {
            #expect(error.description.hasPrefix("cannot read '\(error.path)': "))
            #expect(error.path.hasSuffix("/tokenizer.json"))
            return error.description.replacingOccurrences(
                of: "cannot read '\(error.path)': ", with: "")
        } catch {
            Issue.record(error, sourceLocation: sourceLocation)
            return ""
        }
    }

    /// The complaint after one replacement in a valid file.
    func complaint(
        replacing old: String, by new: String, sourceLocation: SourceLocation = #_sourceLocation
    ) -> String {
        #expect(valid.contains(old), sourceLocation: sourceLocation)
        return complaint(
            about: valid.replacingOccurrences(of: old, with: new), sourceLocation: sourceLocation)
    }

    @Test func acceptsTheValidFile() throws {
        #expect(try open(valid).encode("ab").ids == [3, 4, 5, 1])
    }

    @Test func namesAFileThatIsNotThere() {
        #expect(throws: SystemError.self) { try UnigramTokenizer(contentsOf: "/nowhere.json") }
    }

    @Test func namesMissingKeys() {
        #expect(complaint(about: "{}") == "key 'pre_tokenizer' is missing")
        #expect(complaint(replacing: "\"model\"", by: "\"mode\"") == "key 'model' is missing")
        #expect(complaint(replacing: "vocab", by: "voca") == "key 'model.vocab' is missing")
        #expect(complaint(replacing: "unk_id", by: "unk") == "key 'model.unk_id' is missing")
        #expect(
            complaint(replacing: #""type": "Unigram","#, by: "") == "key 'model.type' is missing")
        #expect(
            complaint(replacing: "replacement", by: "x")
                == "key 'pre_tokenizer.replacement' is missing")
        #expect(
            complaint(replacing: #""id":1,"#, by: "") == "key 'added_tokens[1].id' is missing")
        #expect(complaint(replacing: "<pad>", by: "<pod>") == "key 'added_tokens' lacks '<pad>'")
        #expect(complaint(replacing: "</s>", by: "<eos>") == "key 'added_tokens' lacks '</s>'")
    }

    @Test func namesForeignKinds() {
        #expect(
            complaint(replacing: "Unigram", by: "BPE")
                == "key 'model.type' is 'BPE', not 'Unigram'")
        #expect(
            complaint(replacing: "Metaspace", by: "ByteLevel")
                == "key 'pre_tokenizer' is of type 'ByteLevel', not 'Metaspace'")
        #expect(
            complaint(replacing: "always", by: "often")
                == "key 'pre_tokenizer.prepend_scheme' is 'often', unknown")
        #expect(
            complaint(replacing: "\"normalizer\": null", by: #""normalizer": {"type":"NFKD"}"#)
                == "key 'normalizer.type' is 'NFKD', which is not supported")
        #expect(
            complaint(replacing: "\"unk_id\"", by: #""byte_fallback": true, "unk_id""#)
                == "key 'model.byte_fallback' is not supported")
        let pattern = #""normalizer": {"type":"Replace","content":"x","pattern":{"Regex":"a+"}}"#
        #expect(
            complaint(replacing: "\"normalizer\": null", by: pattern)
                == "key 'normalizer.pattern' is 'a+', only ' {2,}' is known")
    }

    /// Whatever a file says, the message is one short line.
    @Test func quotesFilesInOneShortLine() {
        let long = #"\n\u001b[31m"# + String(repeating: "x", count: 1000)
        let text = complaint(replacing: "Unigram", by: long)
        #expect(text.hasPrefix("key 'model.type' is '??[31mxxx"))
        #expect(text.utf8.count < 300)
    }

    @Test func namesWrongTypes() {
        #expect(complaint(about: "[]") == "is an array, not an object")
        #expect(complaint(about: "") == "is the end of the file, not an object")
        #expect(
            complaint(replacing: "[\"a\", -1]", by: "[\"a\", \"b\"]")
                == "key 'model.vocab[4][1]' is a string, not a number")
        #expect(
            complaint(replacing: "[\"a\", -1]", by: "[-1, \"a\"]")
                == "key 'model.vocab[4][0]' is a number, not a string")
        #expect(
            complaint(replacing: "[\"a\", -1]", by: "[\"a\"]")
                == "key 'model.vocab[4]' is no pair of piece and score")
        #expect(
            complaint(replacing: "[\"a\", -1]", by: "[\"a\", -1, 0]")
                == "key 'model.vocab[4][2]' is one too many")
        #expect(
            complaint(replacing: "[\"a\", -1]", by: "{\"a\": -1}")
                == "key 'model.vocab[4]' is an object, not an array")
        #expect(
            complaint(replacing: "\"unk_id\": 2", by: "\"unk_id\": 2.5")
                == "key 'model.unk_id' is no id")
        #expect(
            complaint(replacing: "\"unk_id\": 2", by: "\"unk_id\": 6")
                == "key 'model.unk_id' is 6, but the vocabulary has 6 pieces")
        #expect(
            complaint(replacing: #""id":1"#, by: #""id":-1"#)
                == "key 'added_tokens[1].id' is no id")
        #expect(
            complaint(replacing: "\"always\"", by: "true")
                == "key 'pre_tokenizer.prepend_scheme' is a boolean, not a string")
    }

    @Test(arguments: ["NaN", "-", "1.", ".5", "1e", "1e999", "+1", "0x10"])
    func refusesNumbersThatAreNone(number: String) {
        let text = complaint(replacing: "[\"a\", -1]", by: "[\"a\", \(number)]")
        #expect(text.hasPrefix("key 'model.vocab[4]"), "\(text)")
    }

    /// Every proper prefix of a valid file is refused, and none brings the process down.
    @Test func refusesTruncatedFiles() {
        let end = valid.utf8.count
        for length in stride(from: 0, to: end, by: 7) {
            #expect(
                !complaint(about: String(decoding: valid.utf8.prefix(length), as: UTF8.self))
                    .isEmpty)
        }
        #expect(complaint(about: valid + "x") == "has text after its end")
    }

    @Test func refusesStringsThatAreNone() {
        let strings = [
            #"\ud800"#, #"\udc00\ud800"#, #"\u12"#, #"\u12g4"#, #"\x"#, "\u{1}", #"\ud800\u0041"#,
        ]
        for string in strings {
            let text = complaint(replacing: "[\"a\",", by: "[\"\(string)\",")
            #expect(text.hasPrefix("key 'model.vocab[4][0]' has "), "\(string): \(text)")
        }
    }

    @Test func readsEscapes() throws {
        let json = valid.replacingOccurrences(of: "[\"a\",", with: #"["\ud83e\udd8a\u0062\n","#)
        #expect(try open(json).encode("🦊b\n").ids == [3, 4, 1])
    }

    @Test func refusesDeepNesting() {
        let deep = String(repeating: "[", count: 100_000)
        let text = complaint(replacing: "\"version\": \"1.0\"", by: "\"version\": \(deep)")
        #expect(text.hasSuffix("is nested too deep"))
        #expect(text.utf8.count < 300)
    }
}
