import Tensors

/// A parsed JSON value. Integers stay apart from other numbers, and duplicate keys are refused.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// What the value is, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONScanner {
    /// Deepest nesting that is followed.
    private static let depthLimit = 16

    /// Consumes any value.
    mutating func value(depth: Int = 0) throws -> JSONValue {
        guard depth < Self.depthLimit else { throw failure("the values are nested too deeply") }
        switch next() {
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try object { scanner, key in
                let value = try scanner.value(depth: depth + 1)
                guard members.updateValue(value, forKey: key) == nil else {
                    throw scanner.failure("two values are named '\(printable(key))'")
                }
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try array { elements.append(try $0.value(depth: depth + 1)) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try string())
        default: return try scalar()
        }
    }

    private mutating func scalar() throws -> JSONValue {
        let word = try bareword()
        switch word {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        let start = word.first ?? " "
        if start == "-" || start.isNumber {
            if let integer = Int(word) { return .integer(integer) }
            // `Double` would also take hexadecimal and "inf".
            if word.allSatisfy({ "0123456789+-.eE".contains($0) }), let number = Double(word) {
                return .number(number)
            }
        }
        throw failure("'\(printable(word))' is no value")
    }
}

/// Scans a mapped JSON file; failures become errors that name the file and the byte.
func scanJSON<Result>(
    _ file: MappedFile, limit: Int, _ body: (inout JSONScanner) throws -> Result
) throws -> Result {
    guard file.bytes.count <= limit else {
        throw TensorFileError(
            path: file.path, reason: "\(file.bytes.count) bytes are too many, \(limit) are read")
    }
    var scanner = JSONScanner(file.bytes)
    do {
        let result = try body(&scanner)
        try scanner.end()
        return result
    } catch let failure as JSONScanner.Failure {
        throw TensorFileError(
            path: file.path, reason: "byte \(failure.offset): \(failure.reason)")
    }
}
