import Tensors

/// Where an actor is: one picture's pixels, set or not.
public struct ActorMask: Sendable, Equatable {
    /// Extents.
    public let size: FrameSize
    /// [height, width], 0 or 1.
    public let values: [UInt8]

    /// A mask of these values; traps if their number does not fit or one is neither 0 nor 1.
    public init(size: FrameSize, values: [UInt8]) {
        precondition(values.count == size.area && values.allSatisfy { $0 <= 1 })
        self.size = size
        self.values = values
    }

    /// Set where a picture is not black.
    public init(_ image: Image) {
        size = FrameSize(height: image.height, width: image.width)
        values = (0..<size.area).map { pixel in
            (0..<Image.channels).contains { image.values[pixel * Image.channels + $0] > 0 } ? 1 : 0
        }
    }

    /// The mask cropped as the picture it belongs to; set where the resized mask is at least half.
    public func framed(_ framing: Framing) -> ActorMask {
        let image = Image(
            height: size.height, width: size.width,
            values: values.flatMap { repeatElement($0 * 255, count: Image.channels) })
        let framed = image.framed(framing)
        return ActorMask(
            size: framing.target,
            values: (0..<framing.target.area).map {
                framed.values[$0 * Image.channels] >= 128 ? 1 : 0
            })
    }
}

/// Which cells of the token grid each actor's voice drives, over time.
///
/// A cell belongs to at most one actor; every actor's voice drives all cells that are not near
/// another actor, as in the released code's routing of several speakers.
public struct ActorRouting: Sendable, Equatable {
    /// Number of actors.
    public let actors: Int
    /// Time steps.
    public let frames: Int
    /// Rows and columns of tokens.
    public let grid: FrameSize
    /// [actors, frames, grid height, grid width], 0 or 1: the cells that belong to each actor.
    public let cells: [Float]
    /// The same shape: those cells and some around them, in proportion to the actor's size.
    public let dilated: [Float]
    /// The same shape: the cells that each actor's voice drives.
    public let values: [Float]

    /// Routes actors by masks over time, [actors][mask frames], all of one size. Traps if there are
    /// none or their number differs between actors.
    public init(masks: [[ActorMask]], frames: Int, grid: FrameSize) {
        precondition(!masks.isEmpty && masks.allSatisfy { !$0.isEmpty })
        precondition(masks.allSatisfy { $0.count == masks[0].count })
        actors = masks.count
        self.frames = frames
        self.grid = grid
        let planes = Self.owned(
            masks.map { Self.resampled($0, frames: frames, grid: grid) }, count: frames * grid.area)
        let dilated = planes.map { Self.dilate($0, frames: frames, grid: grid) }
        cells = planes.flatMap { $0 }
        self.dilated = dilated.flatMap { $0 }
        values = masks.indices.flatMap { actor in
            (0..<frames * grid.area).map { cell in
                dilated.indices.contains { $0 != actor && dilated[$0][cell] > 0 } ? 0 : 1
            }
        }
    }

    /// One owner a cell: the last actor whose mask covers more than half.
    private static func owned(_ coverage: [[Float]], count: Int) -> [[Float]] {
        let owners = (0..<count).map { cell in
            coverage.lastIndex { $0[cell] > 0.5 }
        }
        return coverage.indices.map { actor in owners.map { $0 == actor ? 1 : 0 } }
    }

    /// Trilinear, without antialiasing: where a new sample lies between two old ones.
    private struct Place {
        let first: Int
        let second: Int
        let fraction: Float

        init(_ index: Int, of count: Int, from inputs: Int) {
            let scale = Float(inputs) / Float(count)
            let position = max(0, (Float(index) + 0.5) * scale - 0.5)
            first = min(Int(position), inputs - 1)
            second = min(first + 1, inputs - 1)
            fraction = position - Float(first)
        }

        func mix(_ value: (Int) -> Float) -> Float {
            (1 - fraction) * value(first) + fraction * value(second)
        }
    }

    /// Masks at another size in time and space, [frames, grid height, grid width].
    private static func resampled(
        _ masks: [ActorMask], frames: Int, grid: FrameSize
    ) -> [Float] {
        let size = masks[0].size
        precondition(masks.allSatisfy { $0.size == size })
        let times = (0..<frames).map { Place($0, of: frames, from: masks.count) }
        let rows = (0..<grid.height).map { Place($0, of: grid.height, from: size.height) }
        let columns = (0..<grid.width).map { Place($0, of: grid.width, from: size.width) }
        return times.flatMap { time in
            rows.flatMap { row in
                columns.map { column in
                    time.mix { frame in
                        row.mix { y in
                            column.mix { Float(masks[frame].values[y * size.width + $0]) }
                        }
                    }
                }
            }
        }
    }

    /// Grows each frame's cells by a tenth of the longer side of their box, rounded up, at least 1.
    private static func dilate(_ cells: [Float], frames: Int, grid: FrameSize) -> [Float] {
        (0..<frames).flatMap { frame in
            dilate(Array(cells[frame * grid.area..<(frame + 1) * grid.area]), grid: grid)
        }
    }

    private static func dilate(_ cells: [Float], grid: FrameSize) -> [Float] {
        let set = cells.indices.filter { cells[$0] > 0 }
        let rows = set.map { $0 / grid.width }
        let columns = set.map { $0 % grid.width }
        guard let top = rows.min(), let bottom = rows.max(), let left = columns.min(),
            let right = columns.max()
        else { return cells }
        let longer = Double(max(bottom - top, right - left) + 1)
        let radius = max(1, Int(0.1 * longer + 0.9999))
        var dilated = cells
        for cell in set {
            let (y, x) = (cell / grid.width, cell % grid.width)
            for row in max(0, y - radius)...min(grid.height - 1, y + radius) {
                for column in max(0, x - radius)...min(grid.width - 1, x + radius) {
                    dilated[row * grid.width + column] = 1
                }
            }
        }
        return dilated
    }
}
