import Tensors

/// Random weights of given names and shapes, the same for the same seed, as a model's source.
public final class SeededWeights: WeightSource {
    private var tensors: [String: HostTensor] = [:]

    /// Normally distributed weights of mean 0, scaled by 1 / sqrt of the inputs of each row, and then as
    /// `adjust` says for each name: times `scale`, plus `offset`, as norms need it.
    public init(
        _ shapes: [(String, Shape)], seed: UInt64,
        adjust: (String) -> (scale: Float, offset: Float) = { _ in (1, 0) }
    ) {
        var random = SplitMix(state: seed)
        for (name, shape) in shapes {
            let inputs = shape.dimensions.dropFirst().reduce(1, *)
            let spread = shape.rank > 1 ? 1 / Float(inputs).squareRoot() : 0.2
            let (scale, offset) = adjust(name)
            let values = (0..<shape.elementCount).map { _ in
                offset + scale * spread * random.normal()
            }
            tensors[name] = HostTensor(values, shape, name: name)
        }
    }

    public func shape(of path: String) -> Shape? { tensors[path]?.shape }

    public func claim(_ path: String, shape: Shape) {
        precondition(tensors[path]?.shape == shape, "'\(path)' \(shape) is not among the weights")
    }

    public func view(of path: String) throws -> TensorView { tensors[path]!.view }

    /// A weight's elements in row-major order.
    public func doubles(_ path: String) -> [Double] { tensors[path]!.view.doubles() }
}

/// Float32 elements in host memory, as a view.
private final class HostTensor {
    let shape: Shape
    private let name: String
    private let elements: UnsafeMutableBufferPointer<Float>

    init(_ values: [Float], _ shape: Shape, name: String) {
        (self.shape, self.name) = (shape, name)
        elements = .allocate(capacity: values.count)
        _ = elements.initialize(from: values)
    }

    deinit { elements.deallocate() }

    var view: TensorView {
        TensorView(
            name: name, dataType: .float32, shape: shape, bytes: UnsafeRawBufferPointer(elements),
            owner: self)
    }
}

/// Random numbers that are the same everywhere.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014, figure 17.
public struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    /// A generator with this seed.
    public init(state: UInt64) { self.state = state }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Nearly a normal number: the sum of twelve uniform ones, less its mean.
    public mutating func normal() -> Float {
        (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &self) }
    }
}
