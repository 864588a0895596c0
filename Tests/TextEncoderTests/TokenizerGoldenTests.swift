import Foundation
import TestSupport
import Testing
import TextEncoder

/// `goldens/tokenizer.json`: what the released code made of 27 prompts with the tiny checkpoint.
@Suite struct TokenizerGoldenTests {
    /// The file's part that is compared.
    struct Goldens: Decodable {
        let seqLen: Int
        let padId: Int32
        let eosId: Int32
        let cases: [Case]
    }

    /// One prompt and what became of it.
    struct Case: Decodable {
        let cls: String
        let prompt: String
        let cleaned: String
        let ids: [Int32]
        let length: Int
    }

    static let path = Fixtures.path("open/ckpt/Wan2.2-S2V-14B/google/umt5-xxl/tokenizer.json")
    let goldens: Goldens
    let tokenizer: UnigramTokenizer

    init() throws {
        let url = URL(fileURLWithPath: Fixtures.path("open/goldens/tokenizer.json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        goldens = try decoder.decode(Goldens.self, from: Data(contentsOf: url))
        tokenizer = try UnigramTokenizer(contentsOf: Self.path)
    }

    /// All classes but `mojibake`, whose repair is left out. Exact.
    @Test func cleansAndTokenizesAsTheReleasedCode() throws {
        let cases = goldens.cases.filter { $0.cls != "mojibake" }
        #expect(cases.count == 26)
        for golden in cases {
            let cleaned = PromptCleaner.clean(golden.prompt)
            // By bytes, since strings compare equal in any normalization form.
            #expect(Array(cleaned.utf8) == Array(golden.cleaned.utf8), "\(golden.cls)")
            let text = tokenizer.encode(cleaned, limit: goldens.seqLen)
            #expect(text.ids == golden.ids, "\(golden.cls)")
            #expect(text.length == golden.length, "\(golden.cls)")
        }
    }

    @Test func readsTheIdsOfPaddingAndEnd() {
        #expect(tokenizer.padID == goldens.padId)
        #expect(tokenizer.endID == goldens.eosId)
        #expect(tokenizer.largestID == 534)
    }

    @Test func reportsWhatWasCut() throws {
        let long = try #require(goldens.cases.first { $0.cls == "long" })
        let whole = tokenizer.encode(long.cleaned, limit: 100_000)
        let cut = tokenizer.encode(long.cleaned)
        #expect(whole.truncatedTokens == 0)
        #expect(cut.truncatedTokens == whole.length - goldens.seqLen)
        #expect(cut.ids.dropLast() == whole.ids.prefix(goldens.seqLen - 1))
    }
}
