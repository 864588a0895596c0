/// The vocabulary: pieces with their scores, found by their bytes.
///
/// A dictionary of strings would hold Unicode's equivalent spellings for one piece, and 256,000
/// objects; this is a few flat arrays, about 10 MB for the real model.
struct PieceTable {
    /// The log probability of each piece; index = id.
    private(set) var scores: [Double] = []
    /// The length of the longest piece in bytes.
    private var longest = 0
    /// The pieces one after another.
    private var bytes: [UInt8] = []
    /// Where each piece starts in `bytes`, and at last the end.
    private var starts = [0]
    /// Open addressing: id + 1 at or after the slot of a piece's hash, 0 where free.
    private var slots: [UInt32] = []

    /// The number of pieces.
    var count: Int { scores.count }

    /// Adds a piece whose id is the number of pieces so far; `index` must follow the last one.
    mutating func append(
        score: Double, piece appendBytes: (inout [UInt8]) throws -> Void
    ) rethrows {
        try appendBytes(&bytes)
        longest = max(longest, bytes.count - starts[count])
        starts.append(bytes.count)
        scores.append(score)
    }

    /// Sets the score of the piece added last.
    mutating func setLastScore(_ score: Double) {
        scores[count - 1] = score
    }

    /// Makes the pieces findable. Of equal pieces the last one counts.
    mutating func index() {
        var capacity = 16
        while capacity < 2 * count { capacity *= 2 }
        slots = Array(repeating: 0, count: capacity)
        bytes.withUnsafeBufferPointer { bytes in
            for id in 0..<count {
                let piece = UnsafeBufferPointer(rebasing: bytes[starts[id]..<starts[id + 1]])
                var hash = Hash()
                for byte in piece { hash.combine(byte) }
                slots[slot(of: piece, hash: hash)] = UInt32(id + 1)
            }
        }
    }

    /// The id of a piece.
    func id(of piece: some Sequence<UInt8>) -> Int? {
        let piece = Array(piece)
        return piece.withUnsafeBufferPointer { piece in
            var found: Int?
            forEachPrefix(of: piece) { end, id in
                if end == piece.count { found = id }
            }
            return found
        }
    }

    /// Calls `body` with the length in bytes and the id of each piece that `text` starts with,
    /// shortest first; ends that split a character are passed over.
    @inline(__always)
    func forEachPrefix(
        of text: UnsafeBufferPointer<UInt8>, _ body: (_ length: Int, _ id: Int) -> Void
    ) {
        var hash = Hash()
        for end in 0..<min(text.count, longest) {
            hash.combine(text[end])
            let isBoundary = end + 1 == text.count || text[end + 1] & 0xC0 != 0x80
            guard isBoundary else { continue }
            let prefix = UnsafeBufferPointer(rebasing: text[...end])
            let entry = slots[slot(of: prefix, hash: hash)]
            if entry > 0 { body(end + 1, Int(entry) - 1) }
        }
    }

    /// The slot that holds a piece, or the free one where it would go.
    private func slot(of piece: UnsafeBufferPointer<UInt8>, hash: Hash) -> Int {
        var slot = hash.slot(of: slots.count)
        while slots[slot] > 0, !equals(Int(slots[slot]) - 1, piece) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    /// Whether piece `id` has these bytes.
    private func equals(_ id: Int, _ piece: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = starts[id]
        guard starts[id + 1] - start == piece.count else { return false }
        for offset in 0..<piece.count where bytes[start + offset] != piece[offset] {
            return false
        }
        return true
    }

    /// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>): the hash of a prefix goes on to that
    /// of a longer one.
    private struct Hash {
        /// The offset basis.
        private var state: UInt64 = 0xCBF2_9CE4_8422_2325

        /// Hashes one more byte.
        mutating func combine(_ byte: UInt8) {
            state = (state ^ UInt64(byte)) &* 0x100_0000_01B3
        }

        /// The upper half mixed in, as the low bits alone are weak. `count` is a power of two.
        func slot(of count: Int) -> Int {
            Int(truncatingIfNeeded: state ^ state >> 29) & (count - 1)
        }
    }
}
