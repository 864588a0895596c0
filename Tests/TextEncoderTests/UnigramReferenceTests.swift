import Testing
import TextEncoder

/// The search against trying every segmentation, on random vocabularies.
@Suite struct UnigramReferenceTests {
    /// The best sum of scores over all segmentations; nil pieces cost as much as an unknown.
    func bestScore(of word: [Character], scores: [String: Double]) -> Double {
        let unknown = (scores.values.min() ?? 0) - 10
        guard !word.isEmpty else { return 0 }
        var best = -Double.infinity
        for length in 1...word.count {
            let piece = String(word.prefix(length))
            let score = scores[piece] ?? (length == 1 ? unknown : -.infinity)
            guard score > -.infinity else { continue }
            best = max(best, score + bestScore(of: Array(word.dropFirst(length)), scores: scores))
        }
        return best
    }

    @Test func findsTheBestOfAllSegmentations() throws {
        var random = SplitMix64(state: 7)
        for _ in 0..<40 {
            let alphabet = Array("aé中🦊")
            var scores = ["▁": -1.0, "<pad>": 0, "</s>": 0, "<unk>": 0]
            for _ in 0..<12 {
                let length = Int.random(in: 1...3, using: &random)
                let piece = String(
                    (0..<length).map { _ in alphabet.randomElement(using: &random)! })
                scores[piece] = -Double.random(in: 1...12, using: &random)
            }
            let pieces = scores.filter { !TinyTokenizer.special.contains($0.key) }
                .map { ($0.key, String($0.value)) }
            let tiny = TinyTokenizer(pieces)
            let word = (0..<8).map { _ in alphabet.randomElement(using: &random)! }
            let tokens = try tiny.tokens(of: String(word))
            // Where nothing is unknown, the tokens spell the word and have the best score.
            guard !tokens.contains("<unk>") else { continue }
            #expect(tokens.joined() == "▁" + String(word))
            let found = tokens.reduce(0) { $0 + (scores[$1] ?? -.infinity) }
            #expect(abs(found - bestScore(of: ["▁"] + word, scores: scores)) < 1e-9)
        }
    }
}

/// A small generator, so that a failure can be repeated
/// (<https://prng.di.unimi.it/splitmix64.c>).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
