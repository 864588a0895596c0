import Tensors

/// What operations of one kind and shape took.
public struct OperationProfile: Codable, Hashable, Sendable {
    /// The operation and what is particular about this use.
    public let operation: String
    /// The shapes that tell its uses apart.
    public let shapes: String
    /// How often it was called.
    public internal(set) var calls = 0
    /// Time of all calls.
    public internal(set) var seconds = 0.0
    /// Bytes that all calls read and wrote at least, each tensor once.
    public internal(set) var bytes = 0
    /// Multiplications and additions of all calls.
    public internal(set) var flops = 0

    /// The shortest time that all calls could take at these rates.
    public func shortestTime(flopsPerSecond: Double, bytesPerSecond: Double) -> Double {
        max(Double(flops) / flopsPerSecond, Double(bytes) / bytesPerSecond)
    }
}

/// An operation as the profile tells it apart, and its least work.
struct OperationCall {
    let operation: String
    let shapes: String
    let bytes: Int
    let flops: Int

    /// A call that reads and writes these tensors.
    init(
        _ operation: String, _ shapes: [Shape], reading inputs: [Tensor?],
        writing outputs: [Tensor],
        flops: Int = 0
    ) {
        self.operation = operation
        self.shapes = shapes.map(\.description).joined(separator: " ")
        bytes = (inputs.compactMap(\.self) + outputs).reduce(0) { $0 + $1.byteCount }
        self.flops = flops
    }
}
