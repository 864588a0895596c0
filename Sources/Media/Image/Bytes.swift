/// Bytes from a file nobody vouched for: every read is checked and gives nil outside.
struct Bytes {
    private let buffer: UnsafeRawBufferPointer

    /// The bytes of a buffer that outlives this value.
    init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    var count: Int { buffer.count }

    /// One byte.
    func byte(_ offset: Int) -> Int? {
        offset >= 0 && offset < buffer.count ? Int(buffer[offset]) : nil
    }

    /// Two bytes, the high one first.
    func big16(_ offset: Int) -> Int? { combined(offset, offset + 1) }
    /// Two bytes, the low one first.
    func little16(_ offset: Int) -> Int? { combined(offset + 1, offset) }
    /// Four bytes, the high one first.
    func big32(_ offset: Int) -> Int? {
        guard let high = big16(offset), let low = big16(offset + 2) else { return nil }
        return high << 16 | low
    }
    /// Four bytes, the low one first.
    func little32(_ offset: Int) -> Int? {
        guard let low = little16(offset), let high = little16(offset + 2) else { return nil }
        return high << 16 | low
    }
    /// Three bytes, the low one first.
    func little24(_ offset: Int) -> Int? {
        guard let low = little16(offset), let high = byte(offset + 2) else { return nil }
        return high << 16 | low
    }

    /// Whether these characters stand at an offset.
    func matches(_ text: StaticString, at offset: Int) -> Bool {
        guard offset >= 0, offset + text.utf8CodeUnitCount <= buffer.count else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy {
            text.utf8Start[$0] == buffer[offset + $0]
        }
    }

    /// What follows the first `count` bytes.
    func dropping(_ count: Int) -> Bytes {
        Bytes(UnsafeRawBufferPointer(rebasing: buffer.dropFirst(count)))
    }

    /// A part of the buffer, as far as it exists.
    func slice(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer.dropFirst(max(0, offset)).prefix(max(0, length)))
    }

    private func combined(_ high: Int, _ low: Int) -> Int? {
        guard let high = byte(high), let low = byte(low) else { return nil }
        return high << 8 | low
    }
}
