import Tensors

/// What a reader knows of one axis of a tensor before it opens the file.
struct Axis {
    /// The plural of what the axis counts, as in "layers".
    let name: String
    /// The extent that is needed, if it is known.
    let extent: Int?
    /// Who needs it, as in "the model needs" or "'reference' has".
    let source: String

    /// An axis of `extent` things; of any number if it is nil.
    init(_ name: String, _ extent: Int? = nil, _ source: String = "the model needs") {
        self.name = name
        self.extent = extent
        self.source = source
    }
}

extension TensorFile {
    /// The tensor of this name if it has these axes, none empty, and one of these types; throws
    /// `TensorFileError` otherwise.
    func tensor(
        _ name: String, axes: [Axis], types: Set<DataType>
    ) throws(TensorFileError) -> TensorView {
        let tensor = try tensor(name)
        func fail(_ reason: String) -> TensorFileError {
            TensorFileError(path: path, tensor: name, reason: reason)
        }
        guard tensor.shape.rank == axes.count else {
            let wanted = axes.map { $0.extent.map(String.init) ?? $0.name }
            throw fail(
                "has the shape \(tensor.shape), expected [\(wanted.joined(separator: ", "))]")
        }
        for (extent, axis) in zip(tensor.shape.dimensions, axes) {
            if let needed = axis.extent, extent != needed {
                throw fail("has \(extent) \(axis.name), \(axis.source) \(needed)")
            }
            guard extent > 0 else { throw fail("has no \(axis.name)") }
        }
        guard types.contains(tensor.dataType) else {
            let wanted = types.map(\.description).sorted().joined(separator: " or ")
            throw fail("is \(tensor.dataType), expected \(wanted)")
        }
        return tensor
    }

    /// A number in the metadata, nil if there is none; throws `TensorFileError` if it is no number,
    /// or not above zero.
    func number<Number: LosslessStringConvertible & Comparable & Numeric>(
        _ key: String, as type: Number.Type = Number.self
    ) throws(TensorFileError) -> Number? {
        guard let text = metadata[key] else { return nil }
        guard let number = Number(text), number > 0 else {
            throw TensorFileError(
                path: path,
                reason: "metadata '\(key)' is '\(printable(text))', not a number above 0")
        }
        return number
    }
}
