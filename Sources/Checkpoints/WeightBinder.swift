import Synchronization
import Tensors

/// Hands a model the weights that it claims by path and shape, and remembers everything that is wrong.
///
/// A model claims all of its weights, then `finish` throws one error that lists what is missing or
/// mis-shaped. Elements are asked for after that: once, or whenever a layer is streamed in.
public final class WeightBinder: WeightSource, Sendable {
    /// The weights to bind.
    public let checkpoint: any Checkpoint
    private let ledger = Mutex(Ledger())

    /// A binder that nothing has been claimed from.
    public init(_ checkpoint: any Checkpoint) {
        self.checkpoint = checkpoint
    }

    /// The checkpoint's path as it was given.
    public var path: String { checkpoint.path }

    /// The shape of a weight, nil if there is none: for sizes that only the checkpoint tells.
    public func shape(of path: String) -> Shape? { checkpoint.descriptor(of: path)?.shape }

    /// Notes that the model needs a floating-point weight of this shape.
    public func claim(_ path: String, shape: Shape) {
        let problem = problem(with: path, shape)
        ledger.withLock { ledger in
            guard ledger.claimed.insert(path).inserted else { return }
            if let problem { ledger.problems.append(.init(tensor: path, reason: problem)) }
        }
    }

    private func problem(with path: String, _ shape: Shape) -> String? {
        guard let found = checkpoint.descriptor(of: path) else {
            return "is missing, expected \(shape)"
        }
        guard found.shape == shape else {
            return "has the shape \(found.shape), expected \(shape)"
        }
        return found.dataType.isFloatingPoint ? nil : "is \(found.dataType), expected a float type"
    }

    /// Says that weights whose paths begin so are known and not needed here.
    public func ignore(_ start: String) {
        ledger.withLock { $0.ignored.append(start) }
    }

    /// Ends the claims; throws `BindingError` if a weight is missing or mis-shaped, and with `strict`
    /// also if some were not claimed. Otherwise returns a warning for each of those.
    public func finish(strict: Bool) throws(BindingError) -> [String] {
        let ledger = ledger.withLock { $0 }
        let extra = checkpoint.tensors.map(\.name).filter {
            !ledger.claimed.contains($0) && !Self.isKnownToBeUnused($0)
                && !ledger.ignored.contains(where: $0.hasPrefix)
        }
        var problems = ledger.problems
        if strict {
            problems += extra.map { .init(tensor: $0, reason: "is not part of the model") }
        }
        guard problems.isEmpty else {
            throw BindingError(path: checkpoint.path, problems: problems)
        }
        return extra.map {
            "'\(checkpoint.path)': tensor '\(printable($0))' is not part of the model"
        }
    }

    /// Whether published models carry this from their training and no stage computes with it.
    private static func isKnownToBeUnused(_ path: String) -> Bool {
        path.hasPrefix("lm_head.") || path == "masked_spec_embed"
            || path.hasSuffix(".masked_spec_embed")
    }

    /// The elements of a weight: in place where the checkpoint has them so, else made now (as by a
    /// LoRA) and gone with the view. Throws what the checkpoint throws.
    public func view(of path: String) throws -> TensorView { try checkpoint.tensor(path) }

    /// The numbers and scales of a weight that is stored so, in place; nil for others.
    public func scaledView(of path: String) throws -> ScaledView? {
        try (checkpoint as? PreparedCheckpoint)?.stored(path)
    }

    /// Tells the kernel how a weight's bytes will be used next: `.willNeed` a layer ahead, `.dontNeed`
    /// after they went to a device.
    public func advise(_ advice: MappedFile.Advice, _ path: String) {
        checkpoint.advise(advice, path)
    }

    /// What the model has asked so far.
    private struct Ledger {
        var claimed: Set<String> = []
        var problems: [BindingError.Problem] = []
        var ignored: [String] = []
    }
}
