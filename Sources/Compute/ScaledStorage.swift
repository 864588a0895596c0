import Tensors

/// Numbers of 8 bits with float32 scales: an element is its number times its scale. One scale stands for all elements, or
/// one for each row of a matrix.
///
/// The elements of a tensor on such storage are numbers; the tensor's `scales` say what they stand for.
public final class ScaledStorage: Storage {
    /// The memory of the numbers.
    public let numbers: any Storage
    /// float32 [1], or [rows].
    public let scales: Tensor
    /// Whether there is a scale for each row.
    public let isPerRow: Bool
    /// Whether successive rows lie in tiles (`Tensor.tileRows`).
    public let isTiled: Bool

    fileprivate init(numbers: any Storage, scales: Tensor, isPerRow: Bool, isTiled: Bool) {
        self.numbers = numbers
        self.scales = scales
        self.isPerRow = isPerRow
        self.isTiled = isTiled
    }

    public var byteCount: Int { numbers.byteCount + scales.byteCount }
}

extension Tensor {
    private var scaledStorage: ScaledStorage? { storage as? ScaledStorage }

    /// The scales of a tensor of 8-bit numbers, float32 [1] or [rows]; nil for a tensor without.
    public var scales: Tensor? { scaledStorage?.scales }

    /// Whether each row of a matrix has a scale of its own.
    public var hasScaledRows: Bool { scaledStorage?.isPerRow ?? false }

    /// Rows of a tile, of which each column's numbers lie in one piece, in an order that is the device's own.
    public static let tileRows = 16

    /// Whether successive rows [tokens, ...] lie in tiles, as some devices want the values of `attention`. A tile takes as many
    /// bytes as its rows would: a range that begins at a tile's first row may be read, and written if it is of whole tiles.
    public var isTiled: Bool { scaledStorage?.isTiled ?? false }

    /// The numbers without their scales.
    public var numbers: Tensor { scaledStorage.map { onStorage($0.numbers) } ?? self }

    /// The same 8-bit numbers with one scale, float32 [1], for all; or the same memory for numbers of float8_e4m3 in tiles of
    /// rows, which must be whole.
    public func scaled(byOne scale: Tensor, inTiles isTiled: Bool = false) -> Tensor {
        precondition(scale.shape == [1])
        precondition(
            !isTiled
                || dataType == .float8E4M3 && isContiguous && shape[0] % Self.tileRows == 0)
        return scaled(by: scale, isPerRow: false, isTiled: isTiled)
    }

    /// The same matrix of 8-bit numbers with scales, float32 [rows], one for each row.
    public func scaled(byRows scales: Tensor) -> Tensor {
        precondition(shape.rank == 2 && scales.shape == [shape[0]])
        return scaled(by: scales, isPerRow: true)
    }

    private func scaled(by scales: Tensor, isPerRow: Bool, isTiled: Bool = false) -> Tensor {
        precondition(dataType.isNarrow && self.scales == nil && scales.dataType == .float32)
        return onStorage(
            ScaledStorage(
                numbers: storage, scales: scales, isPerRow: isPerRow, isTiled: isTiled))
    }
}

extension Device {
    /// Memory for a matrix of 8-bit numbers [rows, columns] and a scale for each row, all undefined: what writes into it
    /// chooses the scales.
    public func allocateScaledRows(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        try allocate(shape, dataType).scaled(byRows: allocate([shape[0]], .float32))
    }
}
