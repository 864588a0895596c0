import Foundation
import Glibc
import Tensors

/// The SHA-256 of each block, as the `.sha256` files of a stream tell: lines like `sha256sum`'s.
struct BlockDigests {
    private var digests: [Int: String] = [:]
    /// Blocks of which two files tell different things; nothing is known of these.
    private var disputed: Set<Int> = []

    /// The name of the whole stream's file, or of a range's.
    static func name(of range: Range<Int>?) -> String {
        "\(range.map(StreamFolder.name(ofPart:)) ?? "blocks").sha256"
    }

    /// Reads all that is written down in a folder. Throws `SystemError`.
    init(of folder: StreamFolder) throws {
        for name in try folder.names() where name.hasSuffix(".sha256") {
            let file = try MappedFile(path: folder.path(name))
            merge(Self.parse(String(decoding: file.bytes, as: UTF8.self)))
        }
    }

    /// The digest of a block, if it is known.
    subscript(index: Int) -> String? {
        get { disputed.contains(index) ? nil : digests[index] }
        set {
            disputed.remove(index)
            digests[index] = newValue
        }
    }

    private mutating func merge(_ others: [Int: String]) {
        for (index, digest) in others {
            if let known = digests.updateValue(digest, forKey: index), known != digest {
                disputed.insert(index)
            }
        }
    }

    /// The lines that are whole; the last one of a block counts.
    private static func parse(_ text: String) -> [Int: String] {
        var digests: [Int: String] = [:]
        let digits = 64
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 2, fields[0].count == digits,
                fields[0].allSatisfy(\.isHexDigit),
                let index = StreamFolder.index(fromName: String(fields[1]))
            else { continue }
            digests[index] = String(fields[0])
        }
        return digests
    }

    /// A line of a block, as `sha256sum` prints it.
    static func line(_ index: Int, _ digest: String) -> String {
        "\(digest)  \(StreamFolder.name(ofBlock: index))\n"
    }

    /// The lines of a range; nil if a digest is unknown.
    func lines(_ range: Range<Int>) -> String? {
        var text = ""
        for index in range {
            guard let digest = self[index] else { return nil }
            text += Self.line(index, digest)
        }
        return text
    }

    /// The digest over a range of blocks; nil if that of one is unknown.
    func overall(_ range: Range<Int>) -> String? {
        lines(range).map(FileDigest.sha256(ofText:))
    }
}

/// A `.sha256` file that grows with the stream.
///
/// A line is written before its block gets its name, so that blocks may be consumed at once; after
/// a kill it may lack a line, or have one for a block that is not there: both do no harm.
final class DigestJournal {
    private let path: String
    private let descriptor: Int32

    /// Opens a journal at its end, after closing a line that a kill cut off. Throws `SystemError`.
    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError("create", path) }
        let file = try MappedFile(path: path)
        if let last = file.bytes.last, last != UInt8(ascii: "\n") { try append("\n") }
    }

    deinit { close(descriptor) }

    /// Adds text in one call. Throws `SystemError`.
    func append(_ text: String) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("write", path) }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Replaces a journal by these lines, whole or not at all. Throws `SystemError`.
    static func replace(_ path: String, with lines: String) throws {
        let file = try PartialFile(path: path)
        try Array(lines.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try file.commit()
    }
}
