/// The element types a tensor file can hold, by their names in safetensors.
public enum DataType: String, CaseIterable, Sendable, Codable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case uint16 = "U16"
    case int16 = "I16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case uint32 = "U32"
    case int32 = "I32"
    case float32 = "F32"
    case uint64 = "U64"
    case int64 = "I64"
    case float64 = "F64"
    case float8E4M3 = "F8_E4M3"
    case float8E5M2 = "F8_E5M2"

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8E4M3, .float8E5M2: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        }
    }

    /// Whether elements are floating-point numbers of any width.
    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64, .float8E4M3, .float8E5M2: true
        default: false
        }
    }

    /// Whether it is one of 8 bits whose tensors have scales.
    public var isNarrow: Bool { self == .float8E4M3 || self == .int8 }
}

extension DataType: CustomStringConvertible {
    /// The field's usual name, as in `float32`.
    public var description: String {
        switch self {
        case .bool: "bool"
        case .uint8: "uint8"
        case .int8: "int8"
        case .uint16: "uint16"
        case .int16: "int16"
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        case .uint32: "uint32"
        case .int32: "int32"
        case .float32: "float32"
        case .uint64: "uint64"
        case .int64: "int64"
        case .float64: "float64"
        case .float8E4M3: "float8_e4m3"
        case .float8E5M2: "float8_e5m2"
        }
    }
}
