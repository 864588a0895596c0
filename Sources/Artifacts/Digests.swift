import Crypto
import Foundation
import Tensors

/// SHA-256 of files, in hexadecimal digits as `sha256sum` prints them.
public enum FileDigest {
    /// The digest of a whole file. Throws `SystemError` if it cannot be read.
    public static func sha256(of path: String) throws -> String {
        let file = try MappedFile(path: path)
        var hash = SHA256()
        // Pages are given back as they are done, so that a file larger than memory works.
        let stride = 16 << 20
        for start in Swift.stride(from: 0, to: file.bytes.count, by: stride) {
            let range = start..<min(start + stride, file.bytes.count)
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: file.bytes[range]))
            file.advise(.dontNeed, range)
        }
        return hexadecimal(hash.finalize())
    }

    /// The digest of bytes in memory.
    static func sha256(of bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hexadecimal(hash.finalize())
    }

    /// The digest of a text's UTF-8.
    static func sha256(ofText text: String) -> String {
        hexadecimal(SHA256.hash(data: Data(text.utf8)))
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}

/// Identifies weights without reading them: tens of gigabytes are known by headers and sizes.
public enum CheckpointDigest {
    /// Bytes of each end that count for a file which is not safetensors. A PyTorch archive has its
    /// first tensors and entries in front and its directory, with a checksum of every entry, behind.
    static let endLength = 64 << 10

    /// SHA-256 over the names, sizes and headers of files, whatever their order and folder.
    ///
    /// It is taken over a line `SHA-256 of the head, size, name` per file, sorted by name; the head
    /// is a safetensors file's header with its length, and both ends of any other file. Throws
    /// `SystemError` if one cannot be read.
    public static func sha256(of paths: [String]) throws -> String {
        let files = paths.map { (Provenance.Input.lastComponent(of: $0), $0) }.sorted { $0 < $1 }
        let lines = try files.map { name, path in
            let bytes = try MappedFile(path: path)
            return "\(head(of: bytes)) \(bytes.bytes.count) \(name)\n"
        }
        return FileDigest.sha256(ofText: lines.joined())
    }

    private static func head(of file: MappedFile) -> String {
        let bytes = file.bytes
        func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[range])
        }
        let prefix = MemoryLayout<UInt64>.size
        if bytes.count > prefix, bytes[prefix] == UInt8(ascii: "{") {
            let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            if length <= UInt64(bytes.count - prefix) {
                return FileDigest.sha256(of: part(0..<prefix + Int(length)))
            }
        }
        let front = part(0..<min(endLength, bytes.count))
        let back = part(max(0, bytes.count - endLength)..<bytes.count)
        return FileDigest.sha256(of: front) + FileDigest.sha256(of: back)
    }
}
