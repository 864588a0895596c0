import Foundation
import Testing
import TextEncoder

/// Compiled maps that are truncated or point outside themselves.
@Suite struct CharacterMapFileTests {
    let map = CharacterMapBuilder([("A", "a"), ("BC", "b")])

    /// What opening a file with this normalizer says about the map.
    func complaint(about normalizer: String) -> String {
        var tiny = TinyTokenizer(characters: "▁ab")
        tiny.normalizer = normalizer
        do {
            _ = try tiny.tokenizer()
            return "accepted"
        } catch let error as TokenizerFileError {
            #expect(error.key == "normalizer.precompiled_charsmap")
            return error.reason
        } catch {
            return "\(error)"
        }
    }

    /// What is said about a map of these bytes.
    func complaint(aboutBytes bytes: some Sequence<UInt8>) -> String {
        complaint(
            about: CharacterMapBuilder.normalizer(
                base64: Data(Array(bytes)).base64EncodedString()))
    }

    @Test func acceptsTheValidMap() {
        #expect(complaint(aboutBytes: map.bytes) == "accepted")
    }

    @Test(arguments: ["A", "AAA", "====", "A===", "AA=A", "AAAA====", "A-==", "ä==="])
    func refusesWhatIsNotBase64(text: String) {
        #expect(complaint(about: CharacterMapBuilder.normalizer(base64: text)) == "is not base64")
    }

    @Test func refusesTruncatedMaps() {
        #expect(complaint(aboutBytes: []) == "is shorter than its own header")
        #expect(complaint(aboutBytes: [1, 2]) == "is shorter than its own header")
        let size = map.units.count * 4
        #expect(
            complaint(aboutBytes: map.bytes.prefix(1000))
                == "has a trie of \(size) bytes in a map of 1000")
        #expect(
            complaint(aboutBytes: [3, 0, 0, 0, 0, 0, 0]) == "has a trie of 3 bytes in a map of 7")
        #expect(complaint(aboutBytes: [0, 0, 0, 0]) == "has a trie of 0 bytes in a map of 4")
        #expect(
            complaint(aboutBytes: map.bytes.dropLast()) == "has a replacement that does not end")
        #expect(
            complaint(aboutBytes: map.bytes.prefix(4 + size))
                == "has a replacement that lies outside")
    }

    @Test func refusesTriesThatPointOutside() {
        let outside = "has a trie that points outside itself"
        var hostile = map
        hostile.units[0] = 0x3FFFFF << 10 | 0x200
        #expect(complaint(aboutBytes: hostile.bytes) == outside)
        hostile = map
        hostile.units[256 ^ 0x42] = 0x1000 << 10 | 0x200 | 0x42
        #expect(complaint(aboutBytes: hostile.bytes) == outside)
        hostile.units = Array(map.units.prefix(300))
        #expect(complaint(aboutBytes: hostile.bytes) == outside)
    }

    @Test func refusesReplacementsOutside() {
        var hostile = map
        let leaf = map.units.firstIndex { $0 == 0x8000_0000 }
        hostile.units[leaf ?? 0] = 0xFFFF_FFFF
        #expect(leaf != nil)
        #expect(complaint(aboutBytes: hostile.bytes) == "has a replacement that lies outside")
    }

    /// A trie with a cycle is walked no further than the text goes.
    @Test func endsOnCycles() throws {
        var hostile = CharacterMapBuilder([])
        hostile.units[256 ^ 0x61] = 0x61 << 10 | 0x61
        hostile.strings = [0]
        var tiny = TinyTokenizer(characters: "▁a")
        tiny.normalizer = hostile.normalizer
        #expect(try tiny.tokens(of: "aaa") == ["▁", "a", "a", "a"])
    }

    /// Random damage: refused or read, never a crash.
    @Test func survivesRandomDamage() throws {
        var random = SplitMix64(state: 11)
        for _ in 0..<100 {
            var bytes = map.bytes
            for _ in 0..<8 {
                // Half of it where the few used units lie.
                let used = [4, 4 + 4 * (256 ^ 0x41), 4 + 4 * (256 ^ 0x42)].randomElement(
                    using: &random)
                let spot = Bool.random(using: &random) ? used ?? 4 : bytes.count - 4
                bytes[spot + Int.random(in: 0..<4, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            var tiny = TinyTokenizer(characters: "▁ab")
            tiny.normalizer = CharacterMapBuilder.normalizer(
                base64: Data(bytes).base64EncodedString())
            if let tokenizer = try? tiny.tokenizer() {
                #expect(tokenizer.encode("A BC ABCé").ids.last == 1)
            }
        }
    }
}
