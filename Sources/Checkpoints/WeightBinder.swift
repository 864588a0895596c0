import Tensors

/// Hands a model the tensors it asks for by name and shape, and remembers everything that is wrong.
///
/// A model asks for all of its parameters, then calls `finish`, which throws one error that lists
/// what is missing or mis-shaped. Until then a faulty parameter stands in for what was asked.
///
///     let binder = WeightBinder(checkpoint)
///     let dim = try binder.shape(of: "norm.weight", rank: 1)[0]
///     let layers = (0..<binder.count(of: "blocks")).map { index in
///         let block = binder.scope("blocks.\(index)")
///         return block.tensor("attn.q.weight", shape: [dim, dim])
///     }
///     let warnings = try binder.finish(strict: false)
public struct WeightBinder {
    /// The tensors to bind.
    public let checkpoint: any Checkpoint
    private let prefix: String
    private let ledger: Ledger

    /// A binder that has handed out nothing.
    public init(_ checkpoint: any Checkpoint) {
        self.init(checkpoint, prefix: "", ledger: Ledger())
    }

    private init(_ checkpoint: any Checkpoint, prefix: String, ledger: Ledger) {
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.ledger = ledger
    }

    /// The same binder for names under `name`, without the dot between.
    public func scope(_ name: String) -> WeightBinder {
        WeightBinder(checkpoint, prefix: prefix + name + ".", ledger: ledger)
    }

    /// The floating-point tensor of this name and shape.
    public func tensor(_ name: String, shape: Shape) -> BoundTensor {
        let name = prefix + name
        ledger.used.insert(name)
        let wanted = TensorDescriptor(name: name, dataType: .float32, shape: shape)
        guard let found = checkpoint.descriptor(of: name) else {
            ledger.problems.append(.init(tensor: name, reason: "is missing"))
            return BoundTensor(wanted, in: checkpoint)
        }
        guard found.shape == shape else {
            ledger.problems.append(
                .init(tensor: name, reason: "has the shape \(found.shape), expected \(shape)"))
            return BoundTensor(wanted, in: checkpoint)
        }
        if !found.dataType.isFloatingPoint {
            ledger.problems.append(
                .init(tensor: name, reason: "is \(found.dataType), expected a float type"))
        }
        return BoundTensor(found, in: checkpoint)
    }

    /// The tensor of this name and shape if there is one of this name, as for a bias that a
    /// published variant lacks.
    public func optionalTensor(_ name: String, shape: Shape) -> BoundTensor? {
        contains(name) ? tensor(name, shape: shape) : nil
    }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool {
        checkpoint.descriptor(of: prefix + name) != nil
    }

    /// The shape of a tensor that sizes are derived from; throws `BindingError` at once if it is
    /// missing or has another rank, since nothing can be built without it.
    public func shape(of name: String, rank: Int) throws(BindingError) -> Shape {
        let name = prefix + name
        guard let found = checkpoint.descriptor(of: name) else {
            throw error([.init(tensor: name, reason: "is missing")])
        }
        guard found.shape.rank == rank, found.shape.elementCount > 0 else {
            throw error([
                .init(
                    tensor: name,
                    reason: "has the shape \(found.shape), expected \(rank) extents above zero")
            ])
        }
        return found.shape
    }

    /// How many different numbers follow `name` and a dot, as in `blocks.0.`, `blocks.1.`.
    ///
    /// Where one is left out the models asks for it, and it is reported as missing.
    public func count(of name: String) -> Int {
        let start = prefix + name + "."
        var numbers: Set<Int> = []
        for tensor in checkpoint.tensors where tensor.name.hasPrefix(start) {
            let digits = tensor.name.dropFirst(start.count).prefix { $0 != "." }
            if let number = Int(digits), number >= 0 { numbers.insert(number) }
        }
        return numbers.count
    }

    /// Says that tensors whose names begin so are known and not needed here.
    public func ignore(_ start: String) {
        ledger.ignored.append(prefix + start)
    }

    /// Ends the binding; throws `BindingError` if anything was missing or mis-shaped, and with
    /// `strict` also if tensors were left over. Returns a warning for each of those otherwise.
    public func finish(strict: Bool) throws(BindingError) -> [String] {
        let extra = checkpoint.tensors.map(\.name).filter {
            !ledger.used.contains($0) && !isKnownToBeUnused($0)
        }
        var problems = ledger.problems
        if strict {
            problems += extra.map { .init(tensor: $0, reason: "is not part of the model") }
        }
        guard problems.isEmpty else { throw error(problems) }
        return extra.map {
            "'\(checkpoint.path)': tensor '\(printable($0))' is not part of the model"
        }
    }

    /// What published models carry from their training and no stage computes with.
    private func isKnownToBeUnused(_ name: String) -> Bool {
        name.hasPrefix("lm_head.") || name == "masked_spec_embed"
            || name.hasSuffix(".masked_spec_embed")
            || ledger.ignored.contains(where: name.hasPrefix)
    }

    private func error(_ problems: [BindingError.Problem]) -> BindingError {
        BindingError(path: checkpoint.path, problems: problems)
    }

    /// What all scopes of a binder have seen.
    private final class Ledger {
        var used: Set<String> = []
        var problems: [BindingError.Problem] = []
        var ignored: [String] = []
    }
}

/// Everything that keeps a checkpoint from being the model that was asked for.
public struct BindingError: Error, Hashable, Sendable {
    /// One tensor and what is wrong with it.
    public struct Problem: Hashable, Sendable {
        /// The tensor's full name.
        public let tensor: String
        /// What is wrong, as it follows the name.
        public let reason: String
    }

    /// The checkpoint's path as it was given.
    public let path: String
    /// All problems, in the order in which the model asked; never empty.
    public let problems: [Problem]

    /// Most problems that the description lists.
    static let listedLimit = 8
}

extension BindingError: CustomStringConvertible {
    /// One line with the first problems and the number of the others.
    public var description: String {
        let listed = problems.prefix(Self.listedLimit).map {
            "tensor '\(printable($0.tensor))' \($0.reason)"
        }
        let others = problems.count - listed.count
        let rest = others > 0 ? "; and \(others) more" : ""
        return "cannot use '\(path)': " + listed.joined(separator: "; ") + rest
    }
}
