import Compute
import Tensors

/// The axes of a tensor and of a second one with the same elements in another order, in the second one's order: as
/// few as possible.
struct AxisPairs {
    /// An axis's extent, and its strides in both tensors.
    struct Axis {
        var extent: Int
        var source: Int
        var target: Int
    }

    /// Outermost first, none of extent 1.
    private(set) var axes: [Axis] = []

    /// The order in which y's axis i is x's axis `order[i]`.
    init(_ x: Tensor, axes order: [Int], _ y: Tensor) {
        for (place, axis) in order.enumerated() where x.shape[axis] != 1 {
            let next = Axis(
                extent: x.shape[axis], source: x.strides[axis], target: y.strides[place])
            if let last = axes.last, last.source == next.source * next.extent,
                last.target == next.target * next.extent
            {
                axes[axes.count - 1] = Axis(
                    extent: last.extent * next.extent, source: next.source, target: next.target)
            } else {
                axes.append(next)
            }
        }
    }

    private init(axes: [Axis]) {
        self.axes = axes
    }

    /// Whether elements of `size` bytes that follow one another on both sides form whole units.
    func isDivisible(into unit: Int, size: Int) -> Bool {
        guard let last = axes.last else { return unit <= size }
        return last.extent * size % unit == 0
            && axes.dropLast().allSatisfy {
                $0.source * size % unit == 0 && $0.target * size % unit == 0
            }
    }

    /// The axes counted in units, in place of elements of `size` bytes.
    func units(of unit: Int, size: Int) -> AxisPairs {
        guard let last = axes.last, unit != size else { return self }
        let outer = axes.dropLast().map {
            Axis(
                extent: $0.extent, source: $0.source * size / unit,
                target: $0.target * size / unit)
        }
        return AxisPairs(
            axes: outer + [Axis(extent: last.extent * size / unit, source: 1, target: 1)])
    }

    /// So many axes, those in front of extent 1; nil if there are more.
    func padded(to count: Int) -> [Axis]? {
        guard axes.count <= count else { return nil }
        let one = Axis(extent: 1, source: 0, target: 0)
        return Array(repeating: one, count: count - axes.count) + axes
    }

    /// The axes without two of them.
    func without(_ first: Int, _ second: Int) -> AxisPairs {
        AxisPairs(
            axes: axes.indices.filter { $0 != first && $0 != second }.map { axes[$0] })
    }
}

/// A change of the order of axes as many transpositions of two axes: the one that is innermost in the second tensor,
/// and the one that is innermost in the first. See `Permute.cu`.
struct Transposition {
    /// The axis along which the second tensor is contiguous.
    let rows: AxisPairs.Axis
    /// The axis along which the first tensor is contiguous.
    let columns: AxisPairs.Axis
    /// Four other axes, outermost first.
    let others: [AxisPairs.Axis]
    /// Tiles of each transposition.
    let tiles: Int
    /// Transpositions.
    let batches: Int

    /// Threads of a block.
    static let block = 256
    private static let side = 32
    /// Smaller extents would leave most of a tile empty.
    private static let smallestExtent = 8
    private static let mostBatches = 65535

    /// nil where the innermost axis stays, or tiles would not do it better than single moves.
    init?(_ pairs: AxisPairs) {
        let axes = pairs.axes
        guard let last = axes.indices.last, axes[last].target == 1, axes[last].source != 1,
            let inner = axes.firstIndex(where: { $0.source == 1 }),
            let others = pairs.without(inner, last).padded(to: 4)
        else { return nil }
        (rows, columns, self.others) = (axes[last], axes[inner], others)
        tiles =
            ((rows.extent + Self.side - 1) / Self.side)
            * ((columns.extent + Self.side - 1) / Self.side)
        batches = others.reduce(1) { $0 * $1.extent }
        guard min(rows.extent, columns.extent) >= Self.smallestExtent,
            batches <= Self.mostBatches
        else { return nil }
    }
}
