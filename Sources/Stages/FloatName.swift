import Tensors

/// How floating-point types are typed on the command line.
enum FloatName {
    /// The name of a type: f32, bf16, fp8 or int8.
    static func of(_ dataType: DataType) -> String {
        switch dataType {
        case .bfloat16: "bf16"
        case .float8E4M3: "fp8"
        case .int8: "int8"
        default: "f32"
        }
    }
}
