import Testing
import TextEncoder

/// A file of the released tokenizer's size: 256,300 pieces in 10 MB.
@Suite struct LargeVocabularyTests {
    static let pieceCount = 256_300

    /// Piece `n`: the number in letters, different for each, as `▁` and up to five characters.
    static func piece(_ n: Int) -> String {
        var piece = "▁"
        var rest = n
        repeat {
            let base = rest % 3 == 0 ? 0x4E00 : 0x61
            piece.unicodeScalars.append(Unicode.Scalar(UInt16(base + rest % 26)) ?? "a")
            rest /= 26
        } while rest > 0
        return piece
    }

    /// Opening took 0.05 s when this was written; a busy machine may take
    /// longer, but not twenty times.
    @Test func opensQuickly() throws {
        let pieces = (0..<Self.pieceCount).map { n in
            (Self.piece(n), "-\(8 + n % 7).\(n)75341796875")
        }
        let tiny = TinyTokenizer(pieces)
        let json = tiny.json
        #expect(json.utf8.count > 9_000_000)
        var tokenizer: UnigramTokenizer?
        let seconds = try ContinuousClock().measure { tokenizer = try open(json) }
        #expect(seconds < .seconds(1))
        #expect(tokenizer?.largestID == Int32(Self.pieceCount + 2))
        for n in [0, 1, 99_999, Self.pieceCount - 1] {
            #expect(tokenizer?.encode(String(Self.piece(n).dropFirst())).ids == [Int32(n + 3), 1])
        }
    }
}
