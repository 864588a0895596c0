import Checkpoints
import Tensors

/// A published checkpoint as the source of a model's weights.
public final class CheckpointWeights: WeightSource {
    private let binder: WeightBinder
    private var bound: [String: BoundTensor] = [:]

    /// The weights of a checkpoint, of which nothing is claimed yet.
    public init(_ checkpoint: any Checkpoint) {
        binder = WeightBinder(checkpoint)
    }

    public func shape(of path: String) -> Shape? {
        binder.checkpoint.descriptor(of: path)?.shape
    }

    public func claim(_ path: String, shape: Shape) {
        bound[path] = binder.tensor(path, shape: shape)
    }

    public func view(of path: String) throws -> TensorView {
        guard let tensor = bound[path] else {
            preconditionFailure("'\(path)' was not claimed")
        }
        return try tensor.view()
    }

    /// Ends the claims; throws `BindingError` with all that was missing or mis-shaped, and with `strict` also if the
    /// checkpoint has tensors that nobody claimed. Returns a warning for each of those otherwise.
    public func finish(strict: Bool) throws(BindingError) -> [String] {
        try binder.finish(strict: strict)
    }
}
