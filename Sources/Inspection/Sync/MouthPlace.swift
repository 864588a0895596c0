/// Where in the pictures of a film the mouth is: a box of cells.
///
/// It is where most changes from one picture to the next in how much of a mouth's inside is seen: a mouth
/// moves faster than a head. The sound has no say in it, so what is measured there is not fitted to it.
struct MouthPlace: Equatable {
    /// Rows of cells.
    let rows: Range<Int>
    /// Columns of cells.
    let columns: Range<Int>

    /// Cells of the box: a mouth and where it gets to, with a head that fills half the picture.
    private static let (height, width) = (4, 5)

    /// Finds the box; `openness` are cells [side, side] of each picture.
    init(in openness: [[Float]]) {
        let side = PictureMeasures.side
        var changes = [Float](repeating: 0, count: side * side)
        for (earlier, later) in zip(openness, openness.dropFirst()) {
            for cell in changes.indices {
                let change = later[cell] - earlier[cell]
                changes[cell] += change * change
            }
        }
        let boxes = (0...side - Self.height).flatMap { row in
            (0...side - Self.width).map { (row..<row + Self.height, $0..<$0 + Self.width) }
        }
        let sums = boxes.map { rows, columns in Self.sum(changes, rows, columns) }
        let best = sums.indices.max { sums[$0] < sums[$1] } ?? 0
        (rows, columns) = boxes[best]
    }

    /// The sum of the box's cells [side, side].
    func sum(_ cells: [Float]) -> Double { Double(Self.sum(cells, rows, columns)) }

    private static func sum(
        _ cells: [Float], _ rows: Range<Int>, _ columns: Range<Int>
    ) -> Float {
        rows.reduce(0) { sum, row in
            columns.reduce(sum) { $0 + cells[row * PictureMeasures.side + $1] }
        }
    }
}
