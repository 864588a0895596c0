import Compute
import Layers
import Tensors

/// The table of token embeddings. It stays in its file: a prompt needs a few hundred of its rows, so
/// those alone are read and go to the device.
struct TokenEmbedding {
    /// token_embedding.weight [vocabulary, dim], never loaded whole
    let table: Parameter

    /// The table at `scope`, whose name is "weight".
    init(_ scope: WeightScope, vocabulary: Int, dim: Int) {
        table = scope.parameter("weight", [vocabulary, dim], for: .elements)
    }

    /// The rows of these tokens, float32 [tokens, dim]; throws `UnknownToken` if there is no such row.
    func callAsFunction(_ tokens: [Int32], on device: any Device) throws -> Tensor {
        let dim = table.shape[1]
        let view = try table.views()[0]
        var rows: [Float] = []
        rows.reserveCapacity(tokens.count * dim)
        for token in tokens {
            try check(token)
            rows += view.row(Int(token)).floats()
        }
        return try device.tensor(rows, [tokens.count, dim])
    }

    /// Throws `UnknownToken` if the table has no row for the token.
    func check(_ token: Int32) throws(UnknownToken) {
        let vocabulary = table.shape[0]
        guard (0..<vocabulary).contains(Int(token)) else {
            throw UnknownToken(token: Int(token), vocabulary: vocabulary)
        }
    }
}

/// A token for which the embedding table has no row: tokenizer and weights do not belong together.
public struct UnknownToken: Error, Hashable, Sendable, CustomStringConvertible {
    /// The token's number.
    public let token: Int
    /// Rows of the table.
    public let vocabulary: Int

    public var description: String {
        "token \(token) has no row in 'token_embedding.weight', which has \(vocabulary)"
    }
}

extension TensorView {
    /// One index of the outermost axis, in place.
    fileprivate func row(_ index: Int) -> TensorView {
        let extents = Shape(Array(shape.dimensions.dropFirst()))
        let size = extents.elementCount * dataType.size
        return TensorView(
            name: name, dataType: dataType, shape: extents,
            bytes: UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size]),
            owner: owner)
    }
}
