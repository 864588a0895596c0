/// Reads little-endian numbers and bytes from front to back, never past the end.
struct ByteCursor {
    /// The bytes end before what was to be read.
    struct Truncated: Error {}

    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    /// A cursor at `offset`, which need not lie inside the bytes.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    /// Bytes that are left.
    var remaining: Int { bytes.count - offset }

    /// Reads a number.
    mutating func read<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type = Number.self
    ) throws -> Number {
        let bytes = try take(MemoryLayout<Number>.size)
        return Number(littleEndian: bytes.loadUnaligned(as: Number.self))
    }

    /// Reads `count` bytes in place.
    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard offset >= 0, offset <= bytes.count, count >= 0, count <= remaining else {
            throw Truncated()
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// Reads UTF-8 text of `count` bytes; nil if it is not UTF-8.
    mutating func text(_ count: Int) throws -> String? {
        String(validating: try take(count), as: UTF8.self)
    }
}
