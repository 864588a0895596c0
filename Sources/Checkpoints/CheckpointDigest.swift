import Crypto

/// A SHA-256 over parts, each preceded by its length so that no two sequences of parts collide.
public struct CheckpointDigest {
    private var hash = SHA256()

    /// The digest of nothing.
    public init() {}

    /// Adds a part.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(size: bytes.count)
        hash.update(bufferPointer: bytes)
    }

    /// Adds a text.
    public mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    /// Adds a number.
    public mutating func add(size: Int) {
        withUnsafeBytes(of: Int64(size).littleEndian) { hash.update(bufferPointer: $0) }
    }

    /// The digest of all parts so far, 64 lower-case digits.
    public func hexadecimal() -> String { Checkpoints.hexadecimal(hash.finalize()) }
}

/// A digest as 64 lower-case digits.
func hexadecimal(_ digest: SHA256.Digest) -> String {
    digest.map { byte in
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }.joined()
}
