import Tensors

/// The entries of a zip file whose data are stored as they are, found without reading them.
///
/// Only what PyTorch and the usual zip programs write for stored data is accepted: entries follow
/// each other from the first byte, the central directory follows them, its end ends the file, and
/// local headers agree with it. So there is one reading of every file, and nothing is hidden in it.
package struct ZipDirectory: Sendable {
    /// One entry and where its bytes lie in the file.
    package struct Entry: Sendable {
        /// The name with its folders.
        package let name: String
        /// The range of its data.
        package let range: Range<Int>
        /// The CRC-32 of the data.
        package let checksum: UInt32
    }

    /// The entries by name.
    package let entries: [String: Entry]
    /// The range of the central directory.
    package let directoryRange: Range<Int>

    /// Largest central directory that is read. The real model's largest has 60 kB.
    private static let directoryLimit = 4 << 20

    /// Reads and validates the directory of a mapped file; throws `TensorFileError` with `path`.
    package init(of file: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
        do {
            let (end, directoryEnd) = try Self.findEnd(file)
            directoryRange = try Self.directoryRange(end, upTo: directoryEnd)
            let listed = try Self.readDirectory(file, directoryRange, count: end.entryCount)
            entries = try Self.locate(listed, file, end: directoryRange.lowerBound)
        } catch let refusal as Refusal {
            throw TensorFileError(path: path, reason: refusal.reason)
        } catch {
            throw TensorFileError(path: path, reason: "truncated: a zip record is cut off")
        }
    }

    /// Why a file is not accepted.
    private struct Refusal: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// The end record and where the central directory ends. Both the 32-bit and the 64-bit record
    /// are read where both stand, and have to agree.
    private static func findEnd(
        _ file: UnsafeRawBufferPointer
    ) throws -> (ZipRecords.End, directoryEnd: Int) {
        let endOffset = file.count - ZipRecords.endLength
        var cursor = ByteCursor(file, at: endOffset)
        guard endOffset >= 0, let end = try ZipRecords.end(&cursor) else {
            throw Refusal("not a zip file, or truncated: it does not end with a zip directory")
        }
        let locatorOffset = endOffset - ZipRecords.locator64Length
        cursor = ByteCursor(file, at: locatorOffset)
        guard locatorOffset >= 0, let end64Offset = try ZipRecords.locator64(&cursor) else {
            return (end, endOffset)
        }
        guard let offset = Int(exactly: end64Offset),
            offset == locatorOffset - ZipRecords.end64Length
        else { throw Refusal("the zip directory's 64-bit end is not where it should be") }
        cursor = ByteCursor(file, at: offset)
        guard let end64 = try ZipRecords.end64(&cursor) else {
            throw Refusal("the zip directory's 64-bit end is malformed")
        }
        guard agrees(end.entryCount, end64.entryCount, UInt64(UInt16.max)),
            agrees(end.directorySize, end64.directorySize, UInt64(UInt32.max)),
            agrees(end.directoryOffset, end64.directoryOffset, UInt64(UInt32.max))
        else { throw Refusal("the zip directory's two ends disagree") }
        return (end64, offset)
    }

    /// Whether a narrow number is the wide one, or says by `full` that it did not fit.
    private static func agrees(_ narrow: UInt64, _ wide: UInt64, _ full: UInt64) -> Bool {
        narrow == wide || narrow == full
    }

    private static func directoryRange(
        _ end: ZipRecords.End, upTo directoryEnd: Int
    ) throws -> Range<Int> {
        guard end.directorySize <= UInt64(directoryLimit) else {
            throw Refusal(
                "the zip directory has \(end.directorySize) bytes, \(directoryLimit) are read")
        }
        let size = Int(end.directorySize)
        guard size <= directoryEnd, end.directoryOffset == UInt64(directoryEnd - size) else {
            throw Refusal("the zip directory does not lie right before its end")
        }
        return directoryEnd - size..<directoryEnd
    }

    private static func readDirectory(
        _ file: UnsafeRawBufferPointer, _ range: Range<Int>, count: UInt64
    ) throws -> [ZipRecords.Entry] {
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: file[range]))
        var listed: [ZipRecords.Entry] = []
        while cursor.remaining > 0 {
            guard let entry = try ZipRecords.centralEntry(&cursor) else {
                throw Refusal("entry \(listed.count) of the zip directory is malformed")
            }
            listed.append(entry)
        }
        guard UInt64(listed.count) == count else {
            throw Refusal("the zip directory has \(listed.count) entries, its end says \(count)")
        }
        return listed
    }

    /// Finds each entry's data; throws unless the entries fill the file up to `end`.
    private static func locate(
        _ listed: [ZipRecords.Entry], _ file: UnsafeRawBufferPointer, end: Int
    ) throws -> [String: Entry] {
        var entries: [String: Entry] = [:]
        var position = 0
        for entry in listed.sorted(by: { $0.headerOffset < $1.headerOffset }) {
            let quoted = "zip entry '\(printable(entry.name))'"
            try checkName(entry.name, quoted)
            guard entry.method == 0, entry.size == entry.storedSize else {
                throw Refusal("\(quoted) is compressed, only stored entries are read")
            }
            guard entry.flags & ZipRecords.encryptedFlag == 0 else {
                throw Refusal("\(quoted) is encrypted")
            }
            guard entry.headerOffset == UInt64(position) else {
                throw Refusal("\(quoted) overlaps another, or leaves a hole before it")
            }
            let range = try dataRange(of: entry, file, end: end, quoted)
            position = try skipDescriptor(of: entry, file, at: range.upperBound, end, quoted)
            let found = Entry(name: entry.name, range: range, checksum: entry.checksum)
            guard entries.updateValue(found, forKey: entry.name) == nil else {
                throw Refusal("\(quoted) stands there twice")
            }
        }
        guard position == end else {
            throw Refusal("\(end - position) bytes lie between the zip entries and their directory")
        }
        return entries
    }

    private static func checkName(_ name: String, _ quoted: String) throws {
        let isPlain = name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard isPlain, !parts.contains(".."), !parts.contains("."), !parts.contains("") else {
            throw Refusal("\(quoted) has a name that no archive of tensors needs")
        }
    }

    /// Where the data lies according to the local header, which has to agree with the directory.
    private static func dataRange(
        of entry: ZipRecords.Entry, _ file: UnsafeRawBufferPointer, end: Int, _ quoted: String
    ) throws -> Range<Int> {
        var cursor = ByteCursor(
            UnsafeRawBufferPointer(rebasing: file[..<end]), at: Int(entry.headerOffset))
        guard let local = try ZipRecords.localHeader(&cursor) else {
            throw Refusal("\(quoted) has no local header where the directory says")
        }
        // With a descriptor behind the data the local header may leave the sizes out.
        let mayOmit = entry.flags & ZipRecords.descriptorFlag != 0
        func agrees(_ value: UInt64, _ listed: UInt64) -> Bool {
            value == listed || mayOmit && value == 0
        }
        guard local.name == entry.name, local.method == entry.method, local.flags == entry.flags,
            agrees(UInt64(local.checksum), UInt64(entry.checksum)),
            agrees(local.size, entry.size), agrees(local.storedSize, entry.storedSize)
        else { throw Refusal("\(quoted) has a local header that disagrees with the directory") }
        guard entry.size <= UInt64(cursor.remaining) else {
            throw Refusal("\(quoted) has \(entry.size) bytes, \(cursor.remaining) are left for it")
        }
        return cursor.offset..<cursor.offset + Int(entry.size)
    }

    /// The offset behind the descriptor that follows the data, if the entry has one.
    private static func skipDescriptor(
        of entry: ZipRecords.Entry, _ file: UnsafeRawBufferPointer, at offset: Int, _ end: Int,
        _ quoted: String
    ) throws -> Int {
        guard entry.flags & ZipRecords.descriptorFlag != 0 else { return offset }
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: file[..<end]), at: offset)
        guard try cursor.read() == ZipRecords.descriptorSignature,
            try cursor.read() == entry.checksum
        else { throw Refusal("\(quoted) lacks the descriptor behind its data") }
        // Sizes have 32 or 64 bits. Nothing but trying says which.
        var narrow = cursor
        if try narrow.read(UInt32.self) == entry.size, try narrow.read(UInt32.self) == entry.size,
            narrow.remaining == 0 || isHeader(narrow)
        {
            return narrow.offset
        }
        guard try cursor.read(UInt64.self) == entry.size, try cursor.read(UInt64.self) == entry.size
        else { throw Refusal("\(quoted) has a descriptor that disagrees with the directory") }
        return cursor.offset
    }

    /// Whether a local header stands at the cursor.
    private static func isHeader(_ cursor: ByteCursor) -> Bool {
        var cursor = cursor
        return (try? cursor.read(UInt32.self)) == ZipRecords.localSignature
    }
}

/// The CRC-32 of zip files (polynomial 0xEDB88320, reflected), byte by byte.
///
/// Source: ISO 3309; the same bit loop stands in RFC 1952, section 8.
package func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let table = (0..<256 as Range<UInt32>).map { index in
        (0..<8).reduce(index) { value, _ in
            value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ value >> 1
        }
    }
    return ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
}
