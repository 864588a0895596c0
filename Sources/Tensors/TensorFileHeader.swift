/// The header of a safetensors file: metadata, and each tensor's type, shape and place.
///
/// The format: 8 bytes little-endian N, then N bytes of JSON, then the data; tensors cover the data
/// without holes or overlaps. Source: the format section of
/// https://github.com/huggingface/safetensors/blob/v0.4.5/README.md
package struct TensorFileHeader: Sendable {
    /// One tensor and the range of its bytes after the header.
    package struct Entry: Sendable {
        package let descriptor: TensorDescriptor
        package let range: Range<Int>
    }

    /// The header's free strings, by key.
    package var metadata: [String: String]
    /// The tensors by place in the file.
    package var entries: [Entry]
    /// Bytes in front of the first tensor.
    package var dataOffset: Int

    /// Longest header that is read. The real model's largest is 0.2 MB; the bound keeps a hostile
    /// length from costing memory.
    package static let lengthLimit = 4 << 20
    /// Most axes a tensor may have.
    static let rankLimit = 64
    /// Bytes of the length in front of the header.
    static let prefixLength = 8
    /// The key of the metadata beside the tensors' names.
    static let metadataKey = "__metadata__"
}

extension TensorFileHeader {
    /// Parses and validates the header in front of `file`; throws `TensorFileError` with `path`.
    package init(of file: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
        let length = try Self.headerLength(of: file, path: path)
        let start = Self.prefixLength
        let text = UnsafeRawBufferPointer(rebasing: file[start..<start + length])
        dataOffset = start + length
        (metadata, entries) = try Self.parse(text, path: path)
        try Self.validate(
            entries: &entries, dataLength: file.count - dataOffset, path: path)
    }

    private static func headerLength(
        of file: UnsafeRawBufferPointer, path: String
    ) throws(TensorFileError) -> Int {
        func fail(_ reason: String) -> TensorFileError {
            TensorFileError(path: path, reason: reason)
        }
        guard file.count > 0 else { throw fail("the file is empty") }
        guard file.count >= prefixLength else {
            throw fail("\(file.count) bytes are too few for a tensor file")
        }
        let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(lengthLimit) else {
            throw fail(
                "not a tensor file, or its header is damaged (length \(length), at most \(lengthLimit) is read)"
            )
        }
        guard Int(length) <= file.count - prefixLength else {
            throw fail("truncated: the header has \(length) bytes, the file \(file.count) in all")
        }
        guard length >= 2, file[prefixLength] == UInt8(ascii: "{") else {
            throw fail("not a tensor file: the header is not a JSON object")
        }
        return Int(length)
    }

    private static func parse(
        _ text: UnsafeRawBufferPointer, path: String
    ) throws(TensorFileError) -> ([String: String], [Entry]) {
        var scanner = JSONScanner(text)
        var metadata: [String: String]?
        var entries: [Entry] = []
        var names: Set<String> = []
        do {
            try scanner.object { scanner, key in
                if key == metadataKey {
                    guard metadata == nil else { throw scanner.failure("two '\(metadataKey)'") }
                    metadata = try parseMetadata(&scanner)
                } else {
                    guard names.insert(key).inserted else {
                        throw scanner.failure("two tensors are named '\(printable(key))'")
                    }
                    entries.append(try parseEntry(&scanner, name: key))
                }
            }
            try scanner.end()
        } catch let failure as JSONScanner.Failure {
            throw TensorFileError(
                path: path, reason: "header byte \(failure.offset): \(failure.reason)")
        } catch {
            preconditionFailure("the scanner throws failures only, not \(error)")
        }
        return (metadata ?? [:], entries)
    }

    private static func parseMetadata(_ scanner: inout JSONScanner) throws -> [String: String] {
        var metadata: [String: String] = [:]
        try scanner.object { scanner, key in
            guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
                throw scanner.failure("two metadata entries are named '\(printable(key))'")
            }
        }
        return metadata
    }

    private static func parseEntry(_ scanner: inout JSONScanner, name: String) throws -> Entry {
        var dataType: DataType?
        var dimensions: [Int]?
        var offsets: [Int]?
        try scanner.object { scanner, key in
            switch key {
            case "dtype" where dataType == nil:
                let text = try scanner.string()
                dataType = DataType(rawValue: text)
                guard dataType != nil else {
                    throw scanner.failure(
                        "tensor '\(printable(name))' has the unknown type '\(printable(text))'")
                }
            case "shape" where dimensions == nil:
                dimensions = try scanner.integers(limit: rankLimit)
            case "data_offsets" where offsets == nil:
                offsets = try scanner.integers(limit: 2)
            default:
                throw scanner.failure(
                    "tensor '\(printable(name))' has an unexpected '\(printable(key))'")
            }
        }
        guard let dataType, let dimensions, let offsets else {
            throw scanner.failure("tensor '\(printable(name))' lacks dtype, shape or data_offsets")
        }
        guard let shape = Shape(checking: dimensions) else {
            throw scanner.failure("tensor '\(printable(name))' has an impossible shape")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw scanner.failure("tensor '\(printable(name))' has malformed data_offsets")
        }
        return Entry(
            descriptor: TensorDescriptor(name: name, dataType: dataType, shape: shape),
            range: offsets[0]..<offsets[1])
    }

    /// Sorts the entries by place; throws unless they cover exactly `dataLength` bytes.
    private static func validate(
        entries: inout [Entry], dataLength: Int, path: String
    ) throws(TensorFileError) {
        entries.sort {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var position = 0
        for entry in entries {
            let name = entry.descriptor.name
            func fail(_ reason: String) -> TensorFileError {
                TensorFileError(path: path, tensor: name, reason: reason)
            }
            let (size, overflow) = entry.descriptor.shape.elementCount
                .multipliedReportingOverflow(by: entry.descriptor.dataType.size)
            guard !overflow, size == entry.range.count else {
                throw fail(
                    "has \(entry.range.count) bytes, \(entry.descriptor.dataType) \(entry.descriptor.shape) needs another number"
                )
            }
            guard entry.range.lowerBound >= position else {
                throw fail("overlaps the tensor before it")
            }
            guard entry.range.lowerBound == position else {
                throw fail("starts at \(entry.range.lowerBound), leaving a hole from \(position)")
            }
            guard entry.range.upperBound <= dataLength else {
                throw fail(
                    "is truncated: it ends at \(entry.range.upperBound), the data at \(dataLength)")
            }
            position = entry.range.upperBound
        }
        guard position == dataLength else {
            throw TensorFileError(
                path: path, reason: "\(dataLength - position) bytes follow the last tensor")
        }
    }
}

extension TensorFileHeader {
    /// Lays tensors out one after another, wider types first so that every one is aligned, and
    /// otherwise in the order given.
    package init(laying tensors: [TensorDescriptor], metadata: [String: String]) {
        self.metadata = metadata
        let order = tensors.indices.sorted {
            (-tensors[$0].dataType.size, $0) < (-tensors[$1].dataType.size, $1)
        }
        var position = 0
        entries = order.map { index in
            defer { position += tensors[index].byteCount }
            return Entry(
                descriptor: tensors[index],
                range: position..<position + tensors[index].byteCount)
        }
        dataOffset = 0
        dataOffset = encoded().count
    }

    /// The length prefix and the JSON, padded with blanks so that the data starts on a cache line.
    package func encoded() -> [UInt8] {
        let alignment = 64
        var json = "{"
        if !metadata.isEmpty {
            let members = metadata.sorted { $0.key < $1.key }
                .map { "\(quoted($0.key)):\(quoted($0.value))" }
            json += "\(quoted(Self.metadataKey)):{\(members.joined(separator: ","))}"
        }
        for entry in entries {
            if json.utf8.count > 1 { json += "," }
            let extents = entry.descriptor.shape.dimensions.map(String.init)
            json += """
                \(quoted(entry.descriptor.name)):{"dtype":"\(entry.descriptor.dataType.rawValue)",\
                "shape":[\(extents.joined(separator: ","))],\
                "data_offsets":[\(entry.range.lowerBound),\(entry.range.upperBound)]}
                """
        }
        json += "}"
        let length = Self.prefixLength + json.utf8.count
        json += String(
            repeating: " ", count: (length + alignment - 1) / alignment * alignment - length)
        let prefix = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian, Array.init)
        return prefix + Array(json.utf8)
    }
}

/// A JSON string literal.
private func quoted(_ string: String) -> String {
    var literal = "\""
    for scalar in string.unicodeScalars {
        switch scalar {
        case "\"": literal += "\\\""
        case "\\": literal += "\\\\"
        case "\n": literal += "\\n"
        case "\r": literal += "\\r"
        case "\t": literal += "\\t"
        case "\0"..<" ":
            let digits = String(scalar.value, radix: 16)
            literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: literal.unicodeScalars.append(scalar)
        }
    }
    return literal + "\""
}
