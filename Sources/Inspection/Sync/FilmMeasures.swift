/// What the pictures of a film show, one after the other: about 1 kB for each, and 3 kB for a second.
struct FilmMeasures {
    /// Cells [side, side] of each picture.
    private(set) var openness: [[Float]] = []
    /// Of each picture.
    private(set) var sharpness: [Double] = []
    /// Sums of the colours [side, side, 3] of each second.
    private var colours: [[Float]] = []
    /// Frames of a second.
    private let framesPerSecond: Int

    /// No picture yet.
    init(framesPerSecond: Int) {
        precondition(framesPerSecond > 0)
        self.framesPerSecond = framesPerSecond
    }

    /// Pictures so far.
    var count: Int { sharpness.count }

    /// Takes the next picture.
    mutating func append(_ picture: PictureMeasures) {
        let second = second(of: count)
        if second == colours.count {
            colours.append(picture.colours)
        } else {
            for cell in picture.colours.indices { colours[second][cell] += picture.colours[cell] }
        }
        openness.append(picture.openness)
        sharpness.append(picture.sharpness)
    }

    /// How far the mean colours of the seconds that begin in a stretch lie from those of the first second:
    /// the mean over all cells, in grey levels.
    func colourChange(in range: Range<Int>) -> Double {
        let end = second(of: range.upperBound - 1)
        let start = range.lowerBound == 0 ? 0 : second(of: range.lowerBound - 1) + 1
        let now = mean(min(start, end)...end)
        let before = mean(0...0)
        let sum = zip(now, before).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
        return sum / Double(now.count)
    }

    /// Mean colours of whole seconds, all pictures of which count alike.
    private func mean(_ seconds: ClosedRange<Int>) -> [Float] {
        let pictures = (0..<count).count { seconds.contains(second(of: $0)) }
        var sum = [Float](repeating: 0, count: colours[0].count)
        for second in seconds {
            for cell in sum.indices { sum[cell] += colours[second][cell] }
        }
        return sum.map { $0 / Float(pictures) }
    }

    private func second(of frame: Int) -> Int { frame / framesPerSecond }
}
