import Foundation
import Media

/// What one picture of a film shows: where mouths are open, how sharp it is, its colours.
struct PictureMeasures {
    /// Rows and columns of cells that a picture is divided into.
    static let side = 16

    /// [side, side]: how many pixels have the colour of an open mouth's inside, in pixels.
    let openness: [Float]
    /// Mean absolute difference of neighbouring values, to the right plus down, in grey levels.
    let sharpness: Double
    /// [side, side, 3]: mean colours, 0...255.
    let colours: [Float]

    /// The colour inside an open mouth in the drawn world, and how far from it half-open lips lie, in grey
    /// levels: `pipelines/mini-avatar/world.py`, `measures.py`.
    private static let inside: (Float, Float, Float) = (70, 16, 24)
    private static let spread: Float = 0.12 * 255

    /// Looks at a picture; one smaller than the cells leaves some of them empty.
    init(_ picture: Image) {
        let cells = Self.side * Self.side
        var openness = [Float](repeating: 0, count: cells)
        var colours = [Float](repeating: 0, count: cells * 3)
        var counts = [Float](repeating: 0, count: cells)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let cell =
                    y * Self.side / picture.height * Self.side + x * Self.side / picture.width
                let at = (y * picture.width + x) * 3
                let (r, g, b) = (
                    Float(picture.values[at]), Float(picture.values[at + 1]),
                    Float(picture.values[at + 2])
                )
                openness[cell] += Self.likeness(r, g, b)
                colours[3 * cell] += r
                colours[3 * cell + 1] += g
                colours[3 * cell + 2] += b
                counts[cell] += 1
            }
        }
        self.openness = openness
        self.colours = colours.indices.map { colours[$0] / max(1, counts[$0 / 3]) }
        sharpness = Self.sharpness(picture)
    }

    /// 1 for the inside of a mouth, near 0 for colours unlike it.
    private static func likeness(_ r: Float, _ g: Float, _ b: Float) -> Float {
        let (dr, dg, db) = (r - inside.0, g - inside.1, b - inside.2)
        return exp(-(dr * dr + dg * dg + db * db) / (2 * spread * spread))
    }

    private static func sharpness(_ picture: Image) -> Double {
        let row = picture.width * 3
        var (right, down) = (0, 0)
        for y in 0..<picture.height {
            for at in y * row..<(y + 1) * row {
                let value = Int(picture.values[at])
                if at + 3 < (y + 1) * row { right += abs(Int(picture.values[at + 3]) - value) }
                if at + row < picture.values.count {
                    down += abs(Int(picture.values[at + row]) - value)
                }
            }
        }
        let rights = Double(max(1, picture.height * (picture.width - 1) * 3))
        let downs = Double(max(1, (picture.height - 1) * row))
        return Double(right) / rights + Double(down) / downs
    }
}
