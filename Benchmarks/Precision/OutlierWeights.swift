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
            return changed(view) { index, value in
                let isScale = [1, 4].contains(index / width)
                return isScale && Self.isOutlier(index % width)
                    ? Self.factor * (1 + value) - 1 : value
            }
        }
        if path.contains(".norm3.") {
            return changed(view) { Self.isOutlier($0) ? Self.factor * $1 : $1 }
        }
        if path.contains(".ffn.0.") {
            let row = path.hasSuffix("weight") ? width : 1
            return changed(view) { Self.isOutlier($0 / row) ? Self.factor * $1 : $1 }
        }
        return view
    }

    /// A copy in float32 with each element changed.
    private func changed(_ view: TensorView, _ change: (Int, Float) -> Float) -> TensorView {
        let copy = FloatCopy(view.floats())
        for index in copy.elements.indices {
            copy.elements[index] = change(index, copy.elements[index])
        }
        return TensorView(
            name: view.name, dataType: .float32, shape: view.shape,
            bytes: UnsafeRawBufferPointer(copy.elements), owner: copy)
    }
}

/// Numbers that a view can be made of.
private final class FloatCopy {
    let elements: UnsafeMutableBufferPointer<Float>

    init(_ numbers: [Float]) {
        elements = .allocate(capacity: numbers.count)
        _ = elements.initialize(from: numbers)
    }

    deinit { elements.deallocate() }
}
