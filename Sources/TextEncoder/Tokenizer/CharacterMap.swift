/// SentencePiece's compiled normalisation ("Precompiled"): a trie from byte strings to
/// replacements.
///
/// The trie is darts-clone's double array
/// (<https://github.com/s-yata/darts-clone/blob/a0af26f/include/darts.h>); which strings are looked
/// up is HF tokenizers' choice
/// (<https://github.com/huggingface/spm_precompiled/blob/34c4e89/src/lib.rs>).
struct CharacterMap {
    /// What is wrong with a map.
    struct Failure: Error {
        /// As it follows the key.
        let reason: String
    }

    /// The double array; every walk from its root stays inside it.
    private let units: [Unit]
    /// Replacements, each ended by a NUL.
    private let strings: [UInt8]

    /// Takes a map apart: size of the trie in bytes (32 bits, little-endian), the trie, the
    /// replacements. Walks the whole trie once, so that a lookup needs no checks.
    init(_ map: [UInt8]) throws(Failure) {
        guard map.count >= 4 else { throw Failure(reason: "is shorter than its own header") }
        let size = Int(Self.littleEndian(map, at: 0))
        guard size > 0, size % 4 == 0, size <= map.count - 4 else {
            throw Failure(reason: "has a trie of \(size) bytes in a map of \(map.count)")
        }
        units = stride(from: 4, to: 4 + size, by: 4).map {
            Unit(bits: Self.littleEndian(map, at: $0))
        }
        strings = Array(map[(4 + size)...])
        guard strings.last ?? 0 == 0 else {
            throw Failure(reason: "has a replacement that does not end")
        }
        try validate()
    }

    /// The text with every mapped character replaced.
    ///
    /// A grapheme cluster of fewer than 6 bytes is looked up whole, others code point by code
    /// point. The shortest key that starts the cluster decides, whatever follows it there.
    func normalize(_ text: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        let wholeClusterLimit = 6
        for cluster in text {
            if cluster.utf8.count < wholeClusterLimit, let mapped = replacement(for: cluster.utf8) {
                result += mapped
                continue
            }
            for scalar in cluster.unicodeScalars {
                let bytes = String(scalar).utf8
                if let mapped = replacement(for: bytes) {
                    result += mapped
                } else {
                    result += bytes
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The replacement of the shortest key that `bytes` starts with.
    private func replacement(for bytes: some Sequence<UInt8>) -> ArraySlice<UInt8>? {
        var position = units[0].offset
        for byte in bytes {
            position ^= Int(byte)
            let unit = units[position]
            guard unit.label == UInt32(byte) else { return nil }
            position ^= unit.offset
            if unit.hasLeaf {
                return strings[units[position].value...].prefix { $0 != 0 }
            }
        }
        return nil
    }

    /// Visits every node that a walk can reach; throws if one, or its replacement, lies outside.
    private func validate() throws(Failure) {
        var seen = [Bool](repeating: false, count: units.count)
        var pending = [units[0].offset]
        while let node = pending.popLast() {
            // The children of a node are spread over the block of 256 units that it lies in.
            guard node | 0xFF < units.count else {
                throw Failure(reason: "has a trie that points outside itself")
            }
            guard !seen[node] else { continue }
            seen[node] = true
            for byte in 0...0xFF where units[node ^ byte].label == UInt32(byte) {
                let unit = units[node ^ byte]
                let child = node ^ byte ^ unit.offset
                pending.append(child)
                guard unit.hasLeaf else { continue }
                guard child < units.count, units[child].value < strings.count else {
                    throw Failure(reason: "has a replacement that lies outside")
                }
            }
        }
    }

    /// The 32 bits at a byte offset.
    private static func littleEndian(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }

    /// A unit of the double array.
    private struct Unit {
        let bits: UInt32

        /// What to exclusive-or into the place of this node to reach its children's block.
        var offset: Int { Int(bits >> 10) << Int((bits & 0x200) >> 6) }
        /// The byte that leads here; above 255 for a leaf, so that no byte does.
        var label: UInt32 { bits & 0x8000_00FF }
        /// Whether a key ends here.
        var hasLeaf: Bool { bits >> 8 & 1 == 1 }
        /// Of a leaf: where the replacement starts.
        var value: Int { Int(bits & 0x7FFF_FFFF) }
    }
}
