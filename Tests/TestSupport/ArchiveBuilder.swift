import Checkpoints
import Foundation

/// Writes a zip of stored entries as `torch.save` does, entry by entry; zeros may be left a hole.
public struct ArchiveBuilder {
    private let handle: FileHandle
    private var position: UInt64 = 0
    private var directory = Data()
    private var count: UInt64 = 0

    /// Begins an empty file; throws if it cannot be created.
    public init(path: String) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    /// Appends an entry of these bytes.
    public mutating func add(_ name: String, _ bytes: [UInt8]) throws {
        let checksum = bytes.withUnsafeBytes { crc32($0) }
        let start = position
        try append(header(name, size: UInt64(bytes.count), checksum: checksum) + Data(bytes))
        list(name, size: UInt64(bytes.count), checksum: checksum, at: start)
    }

    /// Appends an entry of zeros that take no space on the disk; its checksum is wrong.
    public mutating func addHole(_ name: String, byteCount: Int) throws {
        let start = position
        try append(header(name, size: UInt64(byteCount), checksum: 0))
        position += UInt64(byteCount)
        list(name, size: UInt64(byteCount), checksum: 0, at: start)
    }

    /// Appends the directory and its 64-bit and 32-bit ends.
    public mutating func finish() throws {
        let start = position
        let size = UInt64(directory.count)
        try append(directory)
        let end64 = position
        var end = little(0x0606_4B50, 4) + little(44, 8) + little(45 | 45 << 16, 4) + little(0, 8)
        end += little(count, 8) + little(count, 8) + little(size, 8) + little(start, 8)
        end += little(0x0706_4B50, 4) + little(0, 4) + little(end64, 8) + little(1, 4)
        end += little(0x0605_4B50, 4) + little(0, 4)
        end += little(min(count, 0xFFFF), 2) + little(min(count, 0xFFFF), 2)
        end += little(size, 4) + little(min(start, narrowLimit), 4) + little(0, 2)
        try append(end)
        try handle.close()
    }

    /// The numbers that 32 bits cannot hold are all ones there and stand in the extra field.
    private let narrowLimit = UInt64(UInt32.max)

    private func header(_ name: String, size: UInt64, checksum: UInt32) -> Data {
        let isWide = size >= narrowLimit
        let extra =
            isWide ? little(1, 2) + little(16, 2) + little(size, 8) + little(size, 8) : Data()
        return little(0x0403_4B50, 4) + fields(name, size: size, checksum: checksum, extra.count)
            + Data(name.utf8) + extra
    }

    private mutating func list(_ name: String, size: UInt64, checksum: UInt32, at start: UInt64) {
        var extra = Data()
        if size >= narrowLimit { extra += little(size, 8) + little(size, 8) }
        if start >= narrowLimit { extra += little(start, 8) }
        if !extra.isEmpty { extra = little(1, 2) + little(UInt64(extra.count), 2) + extra }
        directory += little(0x0201_4B50, 4) + little(45, 2)
        directory += fields(name, size: size, checksum: checksum, extra.count)
        directory += little(0, 10) + little(min(start, narrowLimit), 4)
        directory += Data(name.utf8) + extra
        count += 1
    }

    /// What local headers and the directory have alike: version to lengths.
    private func fields(_ name: String, size: UInt64, checksum: UInt32, _ extra: Int) -> Data {
        little(45, 2) + little(0, 8) + little(UInt64(checksum), 4)
            + little(min(size, narrowLimit), 4) + little(min(size, narrowLimit), 4)
            + little(UInt64(name.utf8.count), 2) + little(UInt64(extra), 2)
    }

    private mutating func append(_ data: Data) throws {
        try handle.seek(toOffset: position)
        try handle.write(contentsOf: data)
        position += UInt64(data.count)
    }

    /// The lowest bytes of a number, little-endian; zeros beyond eight.
    private func little(_ value: UInt64, _ count: Int) -> Data {
        Data((0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 })
    }
}

/// Instructions of a pickle that describes a flat dict of one-dimensional tensors.
public struct PickleBuilder {
    /// The instructions so far, without those that end the dict.
    private var bytes: [UInt8] = [0x80, 2, 0x7D, 0x28]

    /// An empty dict.
    public init() {}

    /// Adds a tensor that is the whole storage `key` of type `storage`, as in `FloatStorage`.
    public mutating func add(_ name: String, storage: String, key: String, count: Int) {
        string(name)
        bytes += "ctorch._utils\n_rebuild_tensor_v2\n((".utf8
        string("storage")
        bytes += "ctorch\n\(storage)\n".utf8
        string(key)
        string("cpu")
        integer(count)
        bytes += "tQK\0".utf8  // TUPLE, BINPERSID, offset 0
        integer(count)
        bytes.append(0x85)  // sizes
        integer(1)
        bytes += [0x85, 0x89]  // strides, False
        bytes += "ccollections\nOrderedDict\n)RtR".utf8
    }

    /// The whole pickle.
    public func finished() -> [UInt8] { bytes + "u.".utf8 }

    private mutating func string(_ text: String) {
        bytes += "X".utf8
        bytes += withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian, Array.init)
        bytes += text.utf8
    }

    private mutating func integer(_ value: Int) {
        bytes += [0x8A, 8] + withUnsafeBytes(of: Int64(value).littleEndian, Array.init)
    }
}
