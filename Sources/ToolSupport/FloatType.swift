import ArgumentParser
import Tensors

/// A floating-point type as it is named on the command line.
public enum FloatType: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// 32 bits.
    case float32 = "f32"
    /// The upper 16 of those.
    case bfloat16 = "bf16"

    /// The type of tensors.
    public var dataType: DataType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}

/// What tools say of `--precision`.
public let precisionHelp = ArgumentHelp(
    "The type of weights and activations: f32 or bf16; by default bf16 on CUDA, else f32.",
    valueName: "type")

/// What all tools are versions of.
public enum Project {
    /// The version, as `--version` prints it and provenance tells it.
    public static let version = "0.1.0"
}
