import Tensors

/// Weights for whatever a model asks for, of the size that trained ones have: matrices keep the size of
/// what they multiply, norms' weights are near 1, biases are small.
public final class SyntheticWeights: WeightSource {
    public let path = "synthetic weights"
    /// What the model asked for, in its order.
    public private(set) var tensors: [TensorDescriptor] = []
    /// Bytes of all views handed out so far.
    public private(set) var bytesRead = 0

    private let dataType: DataType
    private let known: [String: Shape]
    private var claims: [String: Shape] = [:]
    private var pages: [Distribution: RandomPages] = [:]

    /// Where the numbers of a tensor lie.
    private struct Distribution: Hashable {
        let middle: Float
        let spread: Float
    }

    /// Weights in a type, float32 or bfloat16; the shapes are those from which a model takes its sizes.
    public init(_ dataType: DataType, sizes known: [String: Shape]) {
        self.dataType = dataType
        self.known = known
    }

    public func shape(of path: String) -> Shape? { known[path] }

    public func claim(_ path: String, shape: Shape) {
        guard claims.updateValue(shape, forKey: path) == nil else { return }
        tensors.append(TensorDescriptor(name: path, dataType: dataType, shape: shape))
    }

    /// Makes up all numbers that the claimed weights share, so that nobody waits for them later. Throws `SystemError` if there is
    /// no room for them.
    public func makeNumbers() throws {
        for tensor in tensors { _ = try pages(of: distribution(tensor.name, tensor.shape)) }
    }

    /// The elements of a claimed weight. Throws `SystemError` if there is no memory for them.
    public func view(of path: String) throws -> TensorView {
        guard let shape = claims[path] else { preconditionFailure("'\(path)' was not claimed") }
        let bytes = shape.elementCount * dataType.size
        let mapping = try pages(of: distribution(path, shape)).mapping(byteCount: bytes)
        bytesRead += bytes
        return TensorView(
            name: path, dataType: dataType, shape: shape, bytes: mapping.bytes, owner: mapping)
    }

    private func pages(of distribution: Distribution) throws(SystemError) -> RandomPages {
        if let known = pages[distribution] { return known }
        let made = try RandomPages(
            dataType, middle: distribution.middle, spread: distribution.spread,
            seed: UInt64(pages.count))
        pages[distribution] = made
        return made
    }

    private func distribution(_ path: String, _ shape: Shape) -> Distribution {
        let name = path.split(separator: ".").last ?? ""
        // Lengths by which something is multiplied: of norms, and of what is mixed or factored.
        let isFactor =
            path.contains("norm") && name == "weight"
            || ["gamma", "weights", "weight_g"].contains(name)
        if isFactor { return Distribution(middle: 1, spread: 0.1) }
        let fanIn = shape.dimensions.dropFirst().reduce(1, *)
        if shape.rank < 2 || name != "weight" && name != "weight_v" {
            return Distribution(middle: 0, spread: 0.1)
        }
        // A uniform number has a third of its spread's square as variance.
        return Distribution(middle: 0, spread: (3 / Float(fanIn)).squareRoot())
    }
}
