import Tensors

/// How floating-point types are typed on the command line.
enum FloatName {
    /// The name of a type: f32 or bf16.
    static func of(_ dataType: DataType) -> String {
        dataType == .bfloat16 ? "bf16" : "f32"
    }
}
