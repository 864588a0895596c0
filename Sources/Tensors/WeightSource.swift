/// Where a model finds its weights by checkpoint path.
///
/// Claims are collected first and judged together, so that one error can list everything that is
/// missing or mis-shaped; only then are elements asked for.
public protocol WeightSource: AnyObject {
    /// What to call the source in messages.
    var path: String { get }
    /// The shape of a weight, nil if there is none: for sizes that only the checkpoint tells.
    func shape(of path: String) -> Shape?
    /// Notes that the model needs a weight of this shape.
    func claim(_ path: String, shape: Shape)
    /// The elements of a claimed weight. Throws if they cannot be read.
    func view(of path: String) throws -> TensorView
    /// The numbers and scales of a claimed weight that is stored in 8 bits; nil for others. Throws as `view`.
    func scaledView(of path: String) throws -> ScaledView?
}

/// A matrix [rows, columns] of 8-bit numbers and a float32 scale for each row: element = number * scale.
public struct ScaledView {
    /// [rows, columns]
    public let numbers: TensorView
    /// float32 [rows]
    public let scales: TensorView

    /// A matrix of these parts.
    public init(numbers: TensorView, scales: TensorView) {
        self.numbers = numbers
        self.scales = scales
    }
}

extension WeightSource {
    /// A source that is not a file.
    public var path: String { "weights" }

    /// Nothing, for a source without weights of 8 bits.
    public func scaledView(of path: String) throws -> ScaledView? { nil }
}
