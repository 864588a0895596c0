/// The records of a zip file as they stand in it, unchecked.
///
/// Source: PKWARE's application note, sections 4.3 and 4.5,
/// https://pkware.cachefly.net/webdocs/APPNOTE/APPNOTE-6.3.9.TXT
enum ZipRecords {
    static let localSignature: UInt32 = 0x0403_4B50
    static let centralSignature: UInt32 = 0x0201_4B50
    static let endSignature: UInt32 = 0x0605_4B50
    static let end64Signature: UInt32 = 0x0606_4B50
    static let locator64Signature: UInt32 = 0x0706_4B50
    static let descriptorSignature: UInt32 = 0x0807_4B50

    /// Bytes of an end record without a comment.
    static let endLength = 22
    /// Bytes of the locator of the 64-bit end record.
    static let locator64Length = 20
    /// Bytes of a 64-bit end record without extensions.
    static let end64Length = 56

    /// The flag of an encrypted entry.
    static let encryptedFlag: UInt16 = 1
    /// The flag that sizes and checksum follow the data.
    static let descriptorFlag: UInt16 = 1 << 3

    /// What a local header or an entry of the central directory says.
    struct Entry {
        var flags: UInt16 = 0
        var method: UInt16 = 0
        var checksum: UInt32 = 0
        var storedSize: UInt64 = 0
        var size: UInt64 = 0
        var headerOffset: UInt64 = 0
        var name = ""
    }

    /// Where the central directory lies.
    struct End: Equatable {
        var entryCount: UInt64
        var directorySize: UInt64
        var directoryOffset: UInt64
    }

    /// Reads an entry of the central directory; nil if there is none at the cursor or it is malformed.
    static func centralEntry(_ cursor: inout ByteCursor) throws -> Entry? {
        guard try cursor.read() == centralSignature else { return nil }
        _ = try cursor.take(4)  // versions
        var entry = try fields(&cursor)
        let lengths = try (
            cursor.read(UInt16.self), cursor.read(UInt16.self), cursor.read(UInt16.self)
        )
        guard try cursor.read(UInt16.self) == 0 else { return nil }  // first disk
        _ = try cursor.take(6)  // attributes
        entry.headerOffset = UInt64(try cursor.read(UInt32.self))
        guard let name = try cursor.text(Int(lengths.0)) else { return nil }
        entry.name = name
        let extra = try cursor.take(Int(lengths.1))
        _ = try cursor.take(Int(lengths.2))  // comment
        return try widen(entry, extra: extra, hasOffset: true)
    }

    /// Reads a local header; nil if there is none at the cursor or it is malformed.
    static func localHeader(_ cursor: inout ByteCursor) throws -> Entry? {
        guard try cursor.read() == localSignature else { return nil }
        _ = try cursor.take(2)  // version
        var entry = try fields(&cursor)
        let lengths = try (cursor.read(UInt16.self), cursor.read(UInt16.self))
        guard let name = try cursor.text(Int(lengths.0)) else { return nil }
        entry.name = name
        return try widen(entry, extra: cursor.take(Int(lengths.1)), hasOffset: false)
    }

    /// The part that both kinds of entry have: flags to sizes.
    private static func fields(_ cursor: inout ByteCursor) throws -> Entry {
        var entry = Entry()
        entry.flags = try cursor.read()
        entry.method = try cursor.read()
        _ = try cursor.take(4)  // time and date
        entry.checksum = try cursor.read()
        entry.storedSize = UInt64(try cursor.read(UInt32.self))
        entry.size = UInt64(try cursor.read(UInt32.self))
        return entry
    }

    /// Takes the numbers that did not fit 32 bits from the extra field; nil if they are not there.
    private static func widen(
        _ entry: Entry, extra: UnsafeRawBufferPointer, hasOffset: Bool
    ) throws -> Entry? {
        var entry = entry
        let full = UInt64(UInt32.max)
        guard
            entry.size == full || entry.storedSize == full
                || hasOffset && entry.headerOffset == full
        else { return entry }
        var fields = ByteCursor(extra)
        while fields.remaining >= 4 {
            let (tag, length) = try (fields.read(UInt16.self), fields.read(UInt16.self))
            guard tag == 1 else {
                _ = try fields.take(Int(length))
                continue
            }
            if entry.size == full { entry.size = try fields.read() }
            if entry.storedSize == full { entry.storedSize = try fields.read() }
            if hasOffset, entry.headerOffset == full { entry.headerOffset = try fields.read() }
            return entry
        }
        return nil
    }

    /// Reads an end record; nil if there is none at the cursor, it has a comment, or it speaks of
    /// several disks.
    static func end(_ cursor: inout ByteCursor) throws -> End? {
        guard try cursor.read() == endSignature, try cursor.read(UInt32.self) == 0 else {
            return nil
        }
        let (onDisk, count) = try (cursor.read(UInt16.self), cursor.read(UInt16.self))
        let (size, offset) = try (cursor.read(UInt32.self), cursor.read(UInt32.self))
        guard onDisk == count, try cursor.read(UInt16.self) == 0 else { return nil }
        return End(
            entryCount: UInt64(count), directorySize: UInt64(size), directoryOffset: UInt64(offset))
    }

    /// Reads the locator of a 64-bit end record: that record's offset; nil if there is no locator.
    static func locator64(_ cursor: inout ByteCursor) throws -> UInt64? {
        guard try cursor.read() == locator64Signature, try cursor.read(UInt32.self) == 0 else {
            return nil
        }
        let offset = try cursor.read(UInt64.self)
        return try cursor.read(UInt32.self) == 1 ? offset : nil
    }

    /// Reads a 64-bit end record without extensions; nil if there is none at the cursor.
    static func end64(_ cursor: inout ByteCursor) throws -> End? {
        guard try cursor.read() == end64Signature,
            try cursor.read(UInt64.self) == UInt64(end64Length - 12)
        else { return nil }
        _ = try cursor.take(4)  // versions
        guard try cursor.read(UInt64.self) == 0 else { return nil }  // disks
        let (onDisk, count) = try (cursor.read(UInt64.self), cursor.read(UInt64.self))
        guard onDisk == count else { return nil }
        return End(
            entryCount: count, directorySize: try cursor.read(), directoryOffset: try cursor.read())
    }
}
