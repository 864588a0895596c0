import Dispatch
import Tensors

/// A checkpoint with a LoRA merged into it, weight by weight as each is asked for.
///
/// Nothing is kept: a weight is computed in float32 when `tensor` is called, rounded to its
/// published type, and goes with its view.
public final class MergedCheckpoint: Checkpoint {
    /// The path of the checkpoint underneath.
    public var path: String { base.path }
    /// The tensors of the checkpoint underneath.
    public var tensors: [TensorDescriptor] { base.tensors }
    /// A line for each tensor of the LoRA that fits nothing here.
    public let warnings: [String]

    private let base: any Checkpoint
    private let lora: LoRA
    private let pairs: [String: LoRA.Pair]
    private let replacements: [String: String]

    /// Pairs a checkpoint with a LoRA.
    ///
    /// Throws `BindingError` if a factor or a replacement does not fit its weight's shape, if none
    /// fits anything, and with `strict` if one fits nothing.
    public init(_ base: any Checkpoint, _ lora: LoRA, strict: Bool) throws(BindingError) {
        self.base = base
        self.lora = lora
        pairs = lora.pairs.filter { base.descriptor(of: $0.key) != nil }
        replacements = lora.replacements.filter { base.descriptor(of: $0.key) != nil }
        var unknown = lora.pairs.filter { base.descriptor(of: $0.key) == nil }.map(
            \.value.down.name)
        unknown += lora.replacements.filter { base.descriptor(of: $0.key) == nil }.map(\.value)
        unknown.sort()
        var problems = Self.misfits(pairs, replacements, lora, base)
        if strict || pairs.isEmpty && replacements.isEmpty {
            problems += unknown.map {
                .init(tensor: $0, reason: "has no counterpart in '\(base.path)'")
            }
        }
        guard problems.isEmpty else {
            throw BindingError(path: lora.path, problems: problems)
        }
        warnings = unknown.map {
            "'\(lora.path)': tensor '\(printable($0))' has no counterpart in '\(base.path)'"
        }
    }

    /// How many weights of the checkpoint the LoRA changes or replaces.
    public var changedCount: Int { pairs.count + replacements.count }

    private static func misfits(
        _ pairs: [String: LoRA.Pair], _ replacements: [String: String], _ lora: LoRA,
        _ base: any Checkpoint
    ) -> [BindingError.Problem] {
        var problems: [BindingError.Problem] = []
        func check(_ tensor: String, _ shape: Shape, _ target: String) {
            guard let weight = base.descriptor(of: target) else { return }
            if weight.shape != shape {
                problems.append(
                    .init(
                        tensor: tensor,
                        reason:
                            "makes \(shape), the weight '\(target)' has the shape \(weight.shape)"
                    ))
            } else if !isMergeable(weight.dataType) {
                problems.append(
                    .init(tensor: tensor, reason: "cannot be merged into \(weight.dataType)"))
            }
        }
        for (target, pair) in pairs.sorted(by: { $0.key < $1.key }) {
            check(pair.up.name, pair.shape, target)
        }
        for (target, name) in replacements.sorted(by: { $0.key < $1.key }) {
            guard let replacement = lora.file.descriptor(of: name) else { continue }
            check(name, replacement.shape, target)
            if !isMergeable(replacement.dataType) {
                problems.append(
                    .init(tensor: name, reason: "is \(replacement.dataType), expected a float type")
                )
            }
        }
        return problems
    }

    /// Type and shape of a tensor; nil if there is none of this name.
    public func descriptor(of name: String) -> TensorDescriptor? { base.descriptor(of: name) }

    /// The tensor of this name: as published, or merged now; throws if there is none.
    public func tensor(_ name: String) throws -> TensorView {
        let weight = try base.tensor(name)
        if let pair = pairs[name] { return try merge(pair, into: weight) }
        guard let replacement = replacements[name] else { return weight }
        return convert(try lora.file.tensor(replacement), like: weight)
    }

    /// Calls `body` with the weight in float32, some whole rows at a time and on several threads at
    /// once: rows `range`, row-major; a weight without axes has one row. For weights that go on to
    /// another type than the published one.
    ///
    /// Throws if there is no such tensor, or it is no float type.
    public func withRows(
        of name: String, _ body: @Sendable (Range<Int>, UnsafeBufferPointer<Float>) -> Void
    ) throws {
        let weight = try base.tensor(name)
        guard isMergeable(weight.dataType) else {
            throw TensorFileError(
                path: path, tensor: name, reason: "is \(weight.dataType), expected a float type")
        }
        if let pair = pairs[name] {
            try product(pair).withRows(addedTo: weight, body)
        } else {
            withFloatRows(try tensor(name), body)
        }
    }

    /// A pair's factors, widened to float32.
    private func product(_ pair: LoRA.Pair) throws -> LowRankProduct {
        LowRankProduct(
            up: try lora.file.tensor(pair.up.name), down: try lora.file.tensor(pair.down.name),
            scale: lora.scale)
    }

    private func merge(_ pair: LoRA.Pair, into weight: TensorView) throws -> TensorView {
        let product = try product(pair)
        return make(like: weight) { body in product.withRows(addedTo: weight, body) }
    }

    /// A tensor of the type and name of `weight` with the elements of another of its shape.
    private func convert(_ source: TensorView, like weight: TensorView) -> TensorView {
        make(like: weight) { body in withFloatRows(source, body) }
    }

    /// Collects float32 rows into a new tensor of the type, shape and name of `weight`.
    private func make(
        like weight: TensorView,
        from rows: (@Sendable (Range<Int>, UnsafeBufferPointer<Float>) -> Void) -> Void
    ) -> TensorView {
        let bytes = HeapBytes(count: weight.bytes.count)
        rows { range, floats in
            guard !range.isEmpty else { return }
            let rowLength = floats.count / range.count
            narrow(
                floats, to: weight.dataType,
                into: bytes.start + range.lowerBound * rowLength * weight.dataType.size)
        }
        return TensorView(
            name: weight.name, dataType: weight.dataType, shape: weight.shape,
            bytes: UnsafeRawBufferPointer(start: bytes.start, count: weight.bytes.count),
            owner: bytes)
    }

    /// Passes on advice about the published weight and what changes it.
    public func advise(_ advice: MappedFile.Advice, _ name: String) {
        base.advise(advice, name)
        if let pair = pairs[name] {
            lora.file.advise(advice, pair.up.name)
            lora.file.advise(advice, pair.down.name)
        }
    }

    /// Adds the checkpoint, the LoRA and its scale.
    public func hash(into digest: inout CheckpointDigest) {
        base.hash(into: &digest)
        digest.add("lora \(lora.scale)")
        lora.file.hash(into: &digest)
    }
}

/// Memory for a tensor that lies in no file.
final class HeapBytes: @unchecked Sendable {
    let start: UnsafeMutableRawPointer

    /// Uninitialised memory on a cache line of its own.
    init(count: Int) {
        start = .allocate(byteCount: max(count, 1), alignment: 64)
    }

    deinit { start.deallocate() }
}
