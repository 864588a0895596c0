import Compute
import Layers
import Tensors

/// The scales of a layer's self-attention in 8 bits, each one for all its numbers: float32 [1].
///
/// Queries and keys are normed over their full width and only turned after that, so that no channel can be larger than
/// sqrt(dim) times the norm's largest weight: with these scales they never saturate. Values have no such bound. Theirs is
/// taken from the values of the first image's conditioning, with room above; the format has range to spare, so that room costs
/// nothing as long as values stay far above 2^-6 of their scale. The image is the same after a restart and for every
/// range of steps, hence so are the scales.
struct AttentionScales {
    let query: Tensor
    let key: Tensor
    let value: Tensor

    /// How much larger than any value of the conditioning a value may be before it saturates.
    static let room: Float = 16
    private static let largest = Float8E4M3.greatestFiniteMagnitude
    /// So small that it only serves where all numbers are 0, and so large that products of scales are not.
    private static let smallest: Float = 0x1p-40

    /// The scales of a layer; that of values is not known yet.
    init(of attention: SelfAttention, on device: any Device) throws {
        func scale(of norm: RMSNorm) throws -> Tensor {
            let weights = try norm.weight.floats()
            let bound = Float(weights.count).squareRoot() * (weights.map(\.magnitude).max() ?? 0)
            return try device.tensor([max(bound, Self.smallest) / Self.largest], [1])
        }
        query = try scale(of: attention.queryNorm)
        key = try scale(of: attention.keyNorm)
        value = try device.allocate([1], .float32)
    }

    /// Takes the scale of values from those of the conditioning, [tokens, heads, head].
    func measure(values: Tensor, on device: any Device) throws {
        let rows: Shape = [values.shape[0], values.shape[1] * values.shape[2]]
        let rounded = try device.allocateScaledRows(rows, .float8E4M3)
        try device.copy(values.reshaped(rows), into: rounded)
        // A row's scale is its largest element over the largest number.
        let largest = try rounded.scales.map { try device.floats($0).max() ?? 0 } ?? 0
        let scale = max(largest * Self.room, Self.smallest)
        try withUnsafeBytes(of: scale) { try device.write($0, to: value) }
    }
}
