import Media

/// Pictures of one size side by side.
struct ContactSheet {
    /// Pictures in a row.
    private static let columns = 4
    /// Longest side of a picture on the sheet; larger ones are made smaller by a whole factor.
    private static let longestSide = 320
    /// Pixels between pictures.
    private static let gap = 4

    /// Fitted pictures on one, from left to right and down; one picture has no border. Traps if there
    /// is none, or if their sizes differ.
    static func compose(_ tiles: [Image]) -> Image {
        let (height, width) = (tiles[0].height, tiles[0].width)
        precondition(tiles.allSatisfy { $0.height == height && $0.width == width })
        let columns = min(Self.columns, tiles.count)
        let rows = (tiles.count + columns - 1) / columns
        let sheetWidth = columns * (width + gap) - gap
        let sheetHeight = rows * (height + gap) - gap
        var values = [UInt8](repeating: 0, count: sheetHeight * sheetWidth * 3)
        for (index, tile) in tiles.enumerated() {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            for y in 0..<height {
                let start = ((row * (height + gap) + y) * sheetWidth + column * (width + gap)) * 3
                values.replaceSubrange(
                    start..<start + width * 3,
                    with: tile.values[y * width * 3..<(y + 1) * width * 3])
            }
        }
        return Image(height: sheetHeight, width: sheetWidth, values: values)
    }

    /// A picture about as large as its place: pixels repeated, or averaged, by a whole factor.
    static func fitted(_ picture: Image) -> Image {
        let side = max(picture.height, picture.width)
        return side > longestSide
            ? shrunk(picture, by: (side + longestSide - 1) / longestSide)
            : enlarged(picture, by: longestSide / side)
    }

    private static func enlarged(_ picture: Image, by factor: Int) -> Image {
        let (height, width) = (picture.height * factor, picture.width * factor)
        var values: [UInt8] = []
        values.reserveCapacity(height * width * 3)
        for y in 0..<height {
            for x in 0..<width {
                let start = (y / factor * picture.width + x / factor) * 3
                values += picture.values[start..<start + 3]
            }
        }
        return Image(height: height, width: width, values: values)
    }

    /// Averages squares; a rest at the right and the bottom is left out, unless there is nothing else.
    private static func shrunk(_ picture: Image, by factor: Int) -> Image {
        let (height, width) = (max(1, picture.height / factor), max(1, picture.width / factor))
        var values: [UInt8] = []
        values.reserveCapacity(height * width * 3)
        for y in 0..<height {
            let rows = y * factor..<min((y + 1) * factor, picture.height)
            for x in 0..<width {
                let columns = x * factor..<min((x + 1) * factor, picture.width)
                for channel in 0..<3 {
                    let sum = rows.reduce(0) { sum, row in
                        columns.reduce(sum) {
                            $0 + Int(picture.values[(row * picture.width + $1) * 3 + channel])
                        }
                    }
                    let count = rows.count * columns.count
                    values.append(UInt8((sum + count / 2) / count))
                }
            }
        }
        return Image(height: height, width: width, values: values)
    }
}
