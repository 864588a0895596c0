import Foundation
import Tensors

/// JSON that is the same for the same values: members sorted by name.
enum CanonicalJSON {
    /// Most bytes of a document that are read, so that a hostile one costs little memory.
    static let sizeLimit = 16 << 20

    /// One line, for a metadata string.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Indented lines, for a file that people look at.
    static func document(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return try encoder.encode(value) + Data("\n".utf8)
    }

    /// Writes a document that appears whole or not at all. Throws `SystemError`.
    static func write(_ value: some Encodable, to path: String) throws {
        try write(value, into: try PartialFile(path: path))
    }

    /// Fills a file with a document and gives it its name. Throws `SystemError`.
    static func write(_ value: some Encodable, into file: PartialFile) throws {
        let bytes = try document(value)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.commit()
    }

    /// Reads a document; nil if there is no such file.
    ///
    /// Throws `SystemError` if it cannot be opened, `ArtifactError` if it is not what was asked for.
    static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value? {
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch  where error.code == ENOENT {
            return nil
        }
        guard file.bytes.count <= sizeLimit else {
            throw ArtifactError("read", path, "it is larger than any such file")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(file.bytes))
        } catch let error as DecodingError {
            throw ArtifactError("read", path, reason(of: error))
        }
    }

    /// What a decoding error means, in a few words.
    private static func reason(of error: DecodingError) -> String {
        func name(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? "'\(printable($0.stringValue))'" }
                .joined(separator: " ")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "\(name(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return context.codingPath.isEmpty
                ? "not a JSON object" : "\(name(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "not JSON, or damaged" : "\(name(context.codingPath)) has an impossible value"
        @unknown default:
            return "not as expected"
        }
    }
}
