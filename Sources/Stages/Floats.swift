import Tensors

extension TensorFileWriter {
    /// Writes numbers into a float32 or bfloat16 tensor, rounding to its type, from its `offset`-th element on.
    package func write(_ values: [Float], to name: String, at offset: Int = 0) throws {
        let dataType = tensors.first { $0.name == name }?.dataType
        if dataType == .bfloat16 {
            try values.map { BFloat16($0) }.withUnsafeBytes {
                try write($0, to: name, at: offset * 2)
            }
        } else {
            precondition(dataType == .float32)
            try values.withUnsafeBytes { try write($0, to: name, at: offset * 4) }
        }
    }
}

extension [Float] {
    /// The numbers as a file of this type would give them back.
    func rounded(to dataType: DataType) -> [Float] {
        dataType == .bfloat16 ? map { Float(BFloat16($0)) } : self
    }
}
