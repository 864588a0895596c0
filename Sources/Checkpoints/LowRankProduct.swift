import Dispatch
import Tensors

/// `scale * B * A` in float32, computed in tiles and added to a weight [out, in].
///
/// `A` is packed once into panels of `panelWidth` columns, so that the innermost loop walks memory in
/// order; a tile of two rows and one panel stays in registers over the whole rank.
struct LowRankProduct: Sendable {
    private let rank: Int
    private let columns: Int
    private let scale: Float
    /// `B`, [out, rank].
    private let up: [Float]
    /// `A` as [panels, rank, panelWidth], the last panel filled up with zeros.
    private let panels: [Panel]

    private typealias Panel = SIMD16<Float>
    private static let panelWidth = Panel.scalarCount
    /// Rows that one thread computes at a time: their part of `B` stays in the first-level cache.
    private static let rowsAtOnce = 32

    /// Widens and packs the factors `up`, `B` [out, rank], and `down`, `A` [rank, in].
    init(up: TensorView, down: TensorView, scale: Float) {
        precondition(up.shape[1] == down.shape[0] && down.shape[0] > 0)
        rank = down.shape[0]
        columns = down.shape[1]
        self.scale = scale
        self.up = up.floats()
        panels = Self.pack(down.floats(), rank: rank, columns: columns)
    }

    private static func pack(_ down: [Float], rank: Int, columns: Int) -> [Panel] {
        let count = (columns + panelWidth - 1) / panelWidth
        var panels = [Panel](repeating: .zero, count: count * rank)
        for row in 0..<rank {
            for column in 0..<columns {
                panels[column / panelWidth * rank + row][column % panelWidth] =
                    down[row * columns + column]
            }
        }
        return panels
    }

    /// Calls `body` with `weight + scale * B * A`, some rows at a time, on several threads at once.
    func withRows(
        addedTo weight: TensorView,
        _ body: @Sendable (Range<Int>, UnsafeBufferPointer<Float>) -> Void
    ) {
        precondition(weight.shape == [up.count / rank, columns])
        forEachRowRange(weight, rowsAtOnce: Self.rowsAtOnce) { range, floats in
            widen(weight, range, into: floats)
            add(to: floats, rows: range)
            body(range, UnsafeBufferPointer(floats))
        }
    }

    /// Adds the product's rows to `floats`, [rows.count, in].
    private func add(to floats: UnsafeMutableBufferPointer<Float>, rows: Range<Int>) {
        up.withUnsafeBufferPointer { up in
            panels.withUnsafeBufferPointer { panels in
                for panel in 0..<panels.count / rank {
                    let down = UnsafeBufferPointer(
                        rebasing: panels[panel * rank..<(panel + 1) * rank])
                    for row in stride(from: 0, to: rows.count, by: 2) {
                        let isPair = row + 1 < rows.count
                        let first = up.baseAddress! + (rows.lowerBound + row) * rank
                        let (sum0, sum1) = tile(first, isPair ? first + rank : first, down)
                        store(sum0, floats, row, panel)
                        if isPair { store(sum1, floats, row + 1, panel) }
                    }
                }
            }
        }
    }

    /// Two rows of `B` times one panel of `A`.
    @inline(__always)
    private func tile(
        _ row0: UnsafePointer<Float>, _ row1: UnsafePointer<Float>,
        _ down: UnsafeBufferPointer<Panel>
    ) -> (Panel, Panel) {
        var sum0 = Panel.zero
        var sum1 = Panel.zero
        for index in 0..<rank {
            let values = down[index]
            sum0 += row0[index] * values
            sum1 += row1[index] * values
        }
        return (sum0, sum1)
    }

    /// Adds a tile's row to the columns of its panel.
    @inline(__always)
    private func store(
        _ sum: Panel, _ floats: UnsafeMutableBufferPointer<Float>, _ row: Int, _ panel: Int
    ) {
        let start = panel * Self.panelWidth
        let place = floats.baseAddress! + row * columns + start
        for lane in 0..<min(Self.panelWidth, columns - start) {
            place[lane] += scale * sum[lane]
        }
    }
}

/// Calls `body` with a tensor's rows in float32, some at a time and on several threads at once.
func withFloatRows(
    _ tensor: TensorView, _ body: @Sendable (Range<Int>, UnsafeBufferPointer<Float>) -> Void
) {
    forEachRowRange(tensor, rowsAtOnce: 32) { range, floats in
        widen(tensor, range, into: floats)
        body(range, UnsafeBufferPointer(floats))
    }
}

/// Calls `body`, on several threads at once, with ranges that cover a tensor's rows (its outermost
/// axis) and room for their elements.
private func forEachRowRange(
    _ tensor: TensorView, rowsAtOnce: Int,
    _ body: @Sendable (Range<Int>, UnsafeMutableBufferPointer<Float>) -> Void
) {
    let rows = tensor.shape.dimensions.first ?? 1
    guard tensor.shape.elementCount > 0 else { return }
    let rowLength = tensor.shape.elementCount / rows
    DispatchQueue.concurrentPerform(iterations: (rows + rowsAtOnce - 1) / rowsAtOnce) { index in
        let range = index * rowsAtOnce..<min(rows, (index + 1) * rowsAtOnce)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * rowLength) {
            body(range, $0)
        }
    }
}

/// Copies rows of a tensor as float32: of a float type, or numbers that are stored with scales.
private func widen(
    _ tensor: TensorView, _ rows: Range<Int>, into floats: UnsafeMutableBufferPointer<Float>
) {
    guard !rows.isEmpty else { return }
    let size = tensor.dataType.size
    let start = tensor.bytes.baseAddress! + rows.lowerBound * (floats.count / rows.count) * size
    switch tensor.dataType {
    case .float32:
        UnsafeMutableRawPointer(floats.baseAddress!)
            .copyMemory(from: start, byteCount: floats.count * size)
    case .bfloat16:
        for index in floats.indices {
            let bits = (start + index * size).loadUnaligned(as: UInt16.self)
            floats[index] = Float(BFloat16(bitPattern: bits))
        }
    case .float16:
        for index in floats.indices {
            floats[index] = Float((start + index * size).loadUnaligned(as: Float16.self))
        }
    case .float8E4M3:
        for index in floats.indices {
            floats[index] = float8[Int((start + index).load(as: UInt8.self))]
        }
    case .int8:
        for index in floats.indices { floats[index] = Float((start + index).load(as: Int8.self)) }
    default: preconditionFailure("\(tensor.dataType) was not checked to be widened")
    }
}

/// Every float8_e4m3 by its bits.
private let float8 = (0...UInt8.max).map { Float(Float8E4M3(bitPattern: $0)) }

/// Rounds float32 elements to a float type.
func narrow(
    _ floats: UnsafeBufferPointer<Float>, to dataType: DataType,
    into place: UnsafeMutableRawPointer
) {
    switch dataType {
    case .float32:
        place.copyMemory(from: floats.baseAddress!, byteCount: floats.count * dataType.size)
    case .bfloat16:
        let elements = place.bindMemory(to: BFloat16.self, capacity: floats.count)
        for index in floats.indices { elements[index] = BFloat16(floats[index]) }
    case .float16:
        let elements = place.bindMemory(to: Float16.self, capacity: floats.count)
        for index in floats.indices { elements[index] = Float16(floats[index]) }
    default: preconditionFailure("\(dataType) was not checked to be mergeable")
    }
}
