import Foundation

/// Makes compiled character maps of a few keys, in the layout of darts-clone's double array: one
/// block of 256 units per node, so that no two nodes collide.
struct CharacterMapBuilder {
    /// The units of the trie.
    var units: [UInt32]
    /// The replacements, each ended by a NUL.
    var strings: [UInt8] = []

    init(_ replacements: [(key: String, replacement: String)]) {
        units = Array(repeating: 0, count: 512)
        units[0] = 1 << 10 | Self.wideOffset
        for (key, replacement) in replacements {
            insert(Array(key.utf8), value: UInt32(strings.count))
            strings += Array(replacement.utf8) + [0]
        }
    }

    /// The offset counts blocks.
    private static let wideOffset: UInt32 = 0x200
    /// A key ends after this byte.
    private static let leafFlag: UInt32 = 0x100

    private mutating func insert(_ key: [UInt8], value: UInt32) {
        var node = 256
        for byte in key {
            let child = node ^ Int(byte)
            if units[child] == 0 {
                let block = units.count / 256
                units += Array(repeating: 0, count: 256)
                units[child] =
                    UInt32(block ^ child / 256) << 10 | Self.wideOffset | UInt32(byte)
            }
            node = child ^ (Int(units[child] >> 10) << 8)
            if byte == key.last { units[child] |= Self.leafFlag }
        }
        units[node] = value | 0x8000_0000
    }

    /// The map's bytes.
    var bytes: [UInt8] {
        var size = UInt32(units.count * 4).littleEndian
        return withUnsafeBytes(of: &size) { Array($0) }
            + units.map(\.littleEndian).withUnsafeBytes { Array($0) } + strings
    }

    /// The JSON of a normalizer with this map.
    var normalizer: String { Self.normalizer(base64: Data(bytes).base64EncodedString()) }

    /// The JSON of a normalizer with a map in base64.
    static func normalizer(base64: String) -> String {
        #"{"type":"Precompiled","precompiled_charsmap":"\#(base64)"}"#
    }
}
