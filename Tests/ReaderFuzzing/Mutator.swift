/// SplitMix64: the same numbers for the same seed, everywhere.
///
/// Source: https://prng.di.unimi.it/splitmix64.c
public struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    /// A generator whose numbers the seed decides.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}

/// Damages bytes in the ways that readers of headers, zips and pickles are likely to get wrong.
struct Mutator {
    var random: SplitMix64
    /// Bytes to splice in from: whole files of the same kind.
    let corpus: [[UInt8]]

    /// Damages `bytes`, mostly once, so that the rest is read all the same.
    mutating func mutate(_ bytes: inout [UInt8]) {
        repeat { mutateOnce(&bytes) } while Int.random(in: 0..<3, using: &random) == 0
    }

    private mutating func mutateOnce(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return splice(&bytes) }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: bytes[place(bytes)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place(bytes)] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
        case 2: tweakInteger(&bytes)
        case 3, 4: tweakDecimal(&bytes)
        case 5, 6: bytes[place(bytes)] = Self.opcodes.randomElement(using: &random) ?? 0
        case 7: bytes.removeSubrange(range(bytes))
        case 8: bytes.insert(contentsOf: bytes[range(bytes)], at: place(bytes))
        default: Bool.random(using: &random) ? truncate(&bytes) : splice(&bytes)
        }
    }

    private mutating func place(_ bytes: [UInt8]) -> Int {
        Int.random(in: bytes.indices, using: &random)
    }

    /// A short range of a file.
    private mutating func range(_ bytes: [UInt8]) -> Range<Int> {
        let start = place(bytes)
        return start..<min(bytes.count, start + Int.random(in: 1...32, using: &random))
    }

    private mutating func truncate(_ bytes: inout [UInt8]) {
        bytes.removeSubrange(place(bytes)...)
    }

    /// Puts a part of another file into this one.
    private mutating func splice(_ bytes: inout [UInt8]) {
        guard let other = corpus.randomElement(using: &random), !other.isEmpty else { return }
        let part = other[range(other)]
        bytes.insert(contentsOf: part, at: Int.random(in: 0...bytes.count, using: &random))
    }

    /// Changes a little-endian number of 1, 2, 4 or 8 bytes a little, or to a limit.
    private mutating func tweakInteger(_ bytes: inout [UInt8]) {
        let width = 1 << Int.random(in: 0...3, using: &random)
        guard bytes.count >= width else { return }
        let start = Int.random(in: 0...bytes.count - width, using: &random)
        var value = bytes[start..<start + width].reversed().reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        if Bool.random(using: &random) {
            value = Self.limits.randomElement(using: &random) ?? 0
        } else {
            value &+= UInt64(bitPattern: Int64.random(in: -8...8, using: &random))
        }
        for index in 0..<width {
            bytes[start + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }

    /// Replaces a number in a text, if there is one behind some place.
    private mutating func tweakDecimal(_ bytes: inout [UInt8]) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let from = place(bytes)
        guard let start = bytes[from...].firstIndex(where: digits.contains) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.endIndex
        let value = Self.limits.randomElement(using: &random) ?? 0
        let sign = Int.random(in: 0..<8, using: &random) == 0 ? "-" : ""
        let small = Bool.random(using: &random) ? String(value) : String(value % 64)
        bytes.replaceSubrange(start..<end, with: Array((sign + small).utf8))
    }

    private static let limits: [UInt64] = [
        0, 1, 2, 7, 8, 16, 63, 64, 255, 256, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
        1 << 32, 1 << 61, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 7, .max,
    ]

    /// Every instruction of a pickle, and the marks of JSON.
    private static let opcodes: [UInt8] =
        Array("(.012FIJKLMNPQRSTUVXabcdeghijlopqrstu)]}{[:,\"\\".utf8)
        + Array(0x80...0x98)
}
