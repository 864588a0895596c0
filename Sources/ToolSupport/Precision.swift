import ArgumentParser
import Tensors

/// How a transformer computes, as it is named on the command line: in one float type, or with its large matrices in 8 bits.
public enum Precision: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// All in 32 bits.
    case float32 = "f32"
    /// The upper 16 of those.
    case bfloat16 = "bf16"
    /// Matrices in float8_e4m3, the rest in bfloat16.
    case float8 = "fp8"
    /// Matrices in int8, the rest in bfloat16.
    case int8

    /// The type of activations.
    public var activations: FloatType { self == .float32 ? .float32 : .bfloat16 }

    /// The type of large matrices, where it is not that of activations.
    public var matrixType: DataType? {
        switch self {
        case .float32, .bfloat16: nil
        case .float8: .float8E4M3
        case .int8: .int8
        }
    }

    /// What tools say of `--precision`.
    public static let help = ArgumentHelp(
        "The type of large matrices: f32, bf16, fp8 or int8; by default bf16 on CUDA, else f32.",
        valueName: "type")
}

/// The type of keys and values that self-attention keeps and computes with.
public enum AttentionType: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// The upper 16 bits of a float.
    case bfloat16 = "bf16"
    /// float8_e4m3.
    case float8 = "fp8"

    /// The type of windows, where it is not that of activations.
    public var windowType: DataType? { self == .float8 ? .float8E4M3 : nil }

    /// What tools say of `--attention`.
    public static let help = ArgumentHelp(
        "The type of attention and its windows, fp8 only on CUDA: bf16 or fp8; by default that of activations.",
        valueName: "type")
}
