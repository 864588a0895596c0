import Tensors

/// In which types a transformer computes, as `--precision` names them.
public enum Precision: String, CaseIterable, Codable, Sendable {
    /// Weights and activations in float32.
    case float32 = "f32"
    /// Weights and activations in bfloat16.
    case bfloat16 = "bf16"
    /// Large matrices in 8-bit floats, the rest in bfloat16.
    case float8 = "fp8"
    /// Large matrices in 8-bit integers, the rest in bfloat16.
    case int8 = "int8"

    /// The type of activations.
    public var activationType: DataType { self == .float32 ? .float32 : .bfloat16 }

    /// The type of large matrices.
    public var matrixType: DataType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float8: .float8E4M3
        case .int8: .int8
        }
    }

    /// The type of large matrices where it is one of 8 bits.
    public var narrowType: DataType? { matrixType.isNarrow ? matrixType : nil }
}

/// In which type a transformer keeps keys and values and attends to them, as `--attention` names it.
public enum AttentionType: String, CaseIterable, Codable, Sendable {
    /// As activations are.
    case activations = "bf16"
    /// In 8-bit floats.
    case float8 = "fp8"

    /// The type of windows, nil for that of activations.
    public var windowType: DataType? { self == .float8 ? .float8E4M3 : nil }
}
