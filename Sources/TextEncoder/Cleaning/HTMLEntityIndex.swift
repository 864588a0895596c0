/// Finds named character references in `htmlEntityTable` by binary search.
enum HTMLEntityIndex {
    /// A named reference.
    struct Entity {
        /// One or two characters.
        let value: [Unicode.Scalar]
        /// Whether the semicolon may be missing.
        let standsAlone: Bool
    }

    /// The length of the longest name.
    static let longestName = 31

    /// The table's bytes, which live as long as the program.
    private static var table: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: htmlEntityTable.utf8Start, count: htmlEntityTable.utf8CodeUnitCount)
    }

    /// Where each entry starts; made when the first reference is looked up.
    private static let starts: [Int] = {
        let table = Self.table
        return table.indices.filter {
            table[$0] != blank && ($0 == 0 || table[$0 - 1] == blank)
        }
    }()

    /// What separates entries.
    private static let blank = UInt8(ascii: " ")

    /// What a name, without `&` and `;`, stands for.
    static func entity(_ name: ArraySlice<Unicode.Scalar>) -> Entity? {
        guard !name.isEmpty, name.count <= longestName, name.allSatisfy(\.isASCII) else {
            return nil
        }
        let name = name.map { UInt8(ascii: $0) }
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            let candidate = Self.name(at: starts[middle])
            if candidate.elementsEqual(name) { return entity(following: candidate) }
            if candidate.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The bytes of the name of the entry at `start`.
    private static func name(at start: Int) -> Slice<UnsafeBufferPointer<UInt8>> {
        table[start...].prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ".") }
    }

    /// Reads the rest of an entry: `.` or `:`, then code points.
    private static func entity(following name: Slice<UnsafeBufferPointer<UInt8>>) -> Entity {
        let codes = table[(name.endIndex + 1)...].prefix { $0 != blank }
        let value = codes.split(separator: UInt8(ascii: "+")).compactMap {
            UInt32(String(decoding: $0, as: UTF8.self), radix: 16).flatMap(Unicode.Scalar.init)
        }
        return Entity(value: value, standsAlone: table[name.endIndex] == UInt8(ascii: "."))
    }
}
