import Compute
import Tensors

extension CPUDevice {
    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        precondition(axes.sorted() == Array(0..<x.shape.rank) && y.isContiguous)
        precondition(axes.map { x.shape[$0] } == y.shape.dimensions)
        guard y.shape.elementCount > 0 else { return }
        guard x.dataType == y.dataType else {
            return try permute(cast(x, to: y.dataType), axes: axes, into: y)
        }
        switch x.dataType.size {
        case 1: transpose(x, axes, y, UInt8.self)
        case 2: transpose(x, axes, y, UInt16.self)
        case 4: transpose(x, axes, y, UInt32.self)
        default: transpose(x, axes, y, UInt64.self)
        }
    }

    /// Moves elements of one size.
    private func transpose<Element: BitwiseCopyable>(
        _ x: Tensor, _ axes: [Int], _ y: Tensor, _ type: Element.Type
    ) {
        let plan = Transposition(x, axes)
        let source = x.address.assumingMemoryBound(to: Element.self)
        let target = y.address.assumingMemoryBound(to: Element.self)
        workers.forRanges(of: plan.pieces, minimum: grain(width: plan.pieceLength)) { range in
            for piece in range { plan.move(piece, source, target) }
        }
    }
}

/// A change of the order of axes as many transpositions of two axes: the one that is innermost in the result, and the
/// one that was innermost before.
private struct Transposition {
    /// Extents of the two axes and their strides in the source and the result, in elements.
    private var rows = 1
    private var columns = 1
    private var rowSource = 0
    private var rowTarget = 0
    private var columnSource = 1
    /// The other axes: extents, strides in the source and the result.
    private var others: [(extent: Int, source: Int, target: Int)] = []

    /// The order of axes in which the result's axis i is x's axis `axes[i]`.
    init(_ x: Tensor, _ axes: [Int]) {
        var targetStride = 1
        for (place, axis) in axes.enumerated().reversed() {
            let extent = x.shape[axis]
            if place == axes.count - 1 {
                (columns, columnSource) = (extent, x.strides[axis])
            } else if axis == x.shape.rank - 1 {
                (rows, rowSource, rowTarget) = (extent, x.strides[axis], targetStride)
            } else {
                others.append((extent, x.strides[axis], targetStride))
            }
            targetStride *= extent
        }
    }

    /// Rows that are moved together.
    private static var side: Int { 32 }

    /// Rows taken `side` at a time.
    private var bands: Int { (rows + Self.side - 1) / Self.side }

    /// Number of bands of all transpositions.
    var pieces: Int { others.reduce(bands) { $0 * $1.extent } }

    /// Elements of a band.
    var pieceLength: Int { min(rows, Self.side) * columns }

    /// Moves one band, in squares that stay in the cache.
    func move<Element: BitwiseCopyable>(
        _ piece: Int, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
    ) {
        let band = piece % bands * Self.side
        let range = band..<min(rows, band + Self.side)
        var rest = piece / bands
        var (source, target) = (source, target)
        for axis in others {
            source += rest % axis.extent * axis.source
            target += rest % axis.extent * axis.target
            rest /= axis.extent
        }
        if columnSource == 1 {
            return target.update(from: source, count: columns)
        }
        for first in stride(from: 0, to: columns, by: Self.side) {
            for row in range {
                for column in first..<min(columns, first + Self.side) {
                    target[row * rowTarget + column] =
                        source[row * rowSource + column * columnSource]
                }
            }
        }
    }
}
