import StageBenchmarks
import Tensors

/// Synthetic weights that make activations with outliers, as trained transformers have them: in a few channels of what enters
/// the products behind norms and behind the feed-forward's activation, elements are many times larger.
final class OutlierWeights: WeightSource {
    private let base: SyntheticWeights
    /// By what elements of those channels are larger.
    static let factor: Float = 30
    /// One channel in so many.
    static let period: UInt64 = 200

    init(_ base: SyntheticWeights) {
        self.base = base
    }

    /// Whether a channel is one of the few; the same ones in all layers, as the residual stream has them.
    private static func isOutlier(_ channel: Int) -> Bool {
        var z = UInt64(channel) &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return (z ^ (z >> 31)) % period == 0
    }

    func shape(of path: String) -> Shape? { base.shape(of: path) }

    func claim(_ path: String, shape: Shape) { base.claim(path, shape: shape) }

    func view(of path: String) throws -> TensorView {
        let view = try base.view(of: path)
        let width = view.shape[-1]
        if path.hasSuffix(".modulation"), view.shape.elementCount == 6 * width {
            // Scales, which are added to 1, of attention and of feed-forward.
            return changed(view) { elements in
                for row in [1, 4] {
                    for channel in 0..<width where Self.isOutlier(channel) {
                        elements[row * width + channel].change { Self.factor * (1 + $0) - 1 }
                    }
                }
            }
        }
        guard path.contains(".norm3.") || path.contains(".ffn.0.") else { return view }
        let channels = view.shape[0]
        let row = view.shape.elementCount / channels
        return changed(view) { elements in
            for channel in 0..<channels where Self.isOutlier(channel) {
                for index in channel * row..<(channel + 1) * row {
                    elements[index].change { Self.factor * $0 }
                }
            }
        }
    }

    /// A copy of a view in bfloat16, changed.
    private func changed(
        _ view: TensorView, _ change: (UnsafeMutableBufferPointer<BFloat16>) -> Void
    ) -> TensorView {
        precondition(view.dataType == .bfloat16)
        let copy = Copy(view.bytes)
        change(copy.bytes.assumingMemoryBound(to: BFloat16.self))
        return TensorView(
            name: view.name, dataType: .bfloat16, shape: view.shape,
            bytes: UnsafeRawBufferPointer(copy.bytes), owner: copy)
    }
}

extension BFloat16 {
    fileprivate mutating func change(_ value: (Float) -> Float) {
        self = BFloat16(value(Float(self)))
    }
}

/// Bytes that a view can be made of.
private final class Copy {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ source: UnsafeRawBufferPointer) {
        bytes = .allocate(byteCount: source.count, alignment: 64)
        bytes.copyMemory(from: source)
    }

    deinit { bytes.deallocate() }
}
