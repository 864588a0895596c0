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

/// What all tools are versions of.
public enum Project {
    /// The version, as `--version` prints it and provenance tells it.
    public static let version = "0.1.0"
}
