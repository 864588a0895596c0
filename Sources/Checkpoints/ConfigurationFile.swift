import Tensors

/// A model's `config.json`, read key by key; every error names the file and the key.
public struct ConfigurationFile: Sendable {
    /// The path as it was given.
    public let path: String
    private let values: [String: JSONValue]

    /// Longest file that is read.
    private static let sizeLimit = 1 << 20

    /// Reads a file that holds one JSON object; throws `SystemError` or `TensorFileError`.
    public init(path: String) throws {
        self.path = path
        let file = try MappedFile(path: path)
        let value = try scanJSON(file, limit: Self.sizeLimit) { try $0.value() }
        guard case .object(let members) = value else {
            throw TensorFileError(path: path, reason: "holds \(value.kind), expected an object")
        }
        values = members
    }

    /// Whether there is a value, other than null, for this key.
    public func contains(_ key: String) -> Bool { found(key) != nil }

    /// An integer that is at least `minimum`; throws if it is missing (and has no default) or
    /// something else.
    public func integer(
        _ key: String, default standard: Int? = nil, atLeast minimum: Int = 1
    ) throws(TensorFileError) -> Int {
        try read(key, standard, "an integer of at least \(minimum)") {
            if case .integer(let value) = $0, value >= minimum { value } else { nil }
        }
    }

    /// A finite number; throws as `integer` does.
    public func number(
        _ key: String, default standard: Double? = nil
    ) throws(TensorFileError) -> Double {
        try read(key, standard, "a number") {
            switch $0 {
            case .integer(let value): Double(value)
            case .number(let value) where value.isFinite: value
            default: nil
            }
        }
    }

    /// A truth value; throws as `integer` does.
    public func bool(
        _ key: String, default standard: Bool? = nil
    ) throws(TensorFileError) -> Bool {
        try read(key, standard, "true or false") {
            if case .bool(let value) = $0 { value } else { nil }
        }
    }

    /// A string; throws as `integer` does.
    public func string(
        _ key: String, default standard: String? = nil
    ) throws(TensorFileError) -> String {
        try read(key, standard, "a string") {
            if case .string(let value) = $0 { value } else { nil }
        }
    }

    /// An array of integers that are at least `minimum`; throws as `integer` does.
    public func integers(
        _ key: String, default standard: [Int]? = nil, atLeast minimum: Int = 0
    ) throws(TensorFileError) -> [Int] {
        try read(key, standard, "an array of integers of at least \(minimum)") {
            guard case .array(let elements) = $0 else { return nil }
            let integers = elements.compactMap { element -> Int? in
                if case .integer(let value) = element, value >= minimum { value } else { nil }
            }
            return integers.count == elements.count ? integers : nil
        }
    }

    /// An error about a value that is well-formed but does not fit, such as an unknown mode.
    public func error(_ key: String, _ reason: String) -> TensorFileError {
        TensorFileError(path: path, reason: "key '\(key)' \(reason)")
    }

    private func found(_ key: String) -> JSONValue? {
        values[key].flatMap { $0 == .null ? nil : $0 }
    }

    private func read<Value>(
        _ key: String, _ standard: Value?, _ wanted: String, _ convert: (JSONValue) -> Value?
    ) throws(TensorFileError) -> Value {
        guard let value = found(key) else {
            guard let standard else { throw error(key, "is missing, expected \(wanted)") }
            return standard
        }
        guard let converted = convert(value) else {
            throw error(key, "is \(value.shortDescription), expected \(wanted)")
        }
        return converted
    }
}

extension JSONValue {
    /// The value itself where it is short, else its kind.
    fileprivate var shortDescription: String {
        switch self {
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .bool(let value): String(value)
        case .string(let value): "'\(printable(value))'"
        case .null, .array, .object: kind
        }
    }
}
