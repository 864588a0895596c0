/// Frames per second, exactly.
public struct FrameRate: Hashable, Sendable, CustomStringConvertible {
    /// Frames in `denominator` seconds.
    public let numerator: Int
    /// Seconds.
    public let denominator: Int

    /// A rate; traps unless both are positive.
    public init(_ numerator: Int, per denominator: Int = 1) {
        precondition(numerator > 0 && denominator > 0)
        self.numerator = numerator
        self.denominator = denominator
    }

    /// The rate nearest to a float, in thousandths. Traps unless it is positive then.
    public init(_ framesPerSecond: Double) {
        let thousand = 1000
        let rounded = Int((framesPerSecond * Double(thousand)).rounded())
        if rounded % thousand == 0 {
            self.init(rounded / thousand)
        } else {
            self.init(rounded, per: thousand)
        }
    }

    /// Frames per second, rounded to a float.
    public var framesPerSecond: Double { Double(numerator) / Double(denominator) }

    /// Frames that show all of `count` samples: the last may last longer than the sound.
    public func frames(covering count: Int, rate: Int) -> Int {
        let divisor = rate * denominator
        return (count * numerator + divisor - 1) / divisor
    }

    /// Samples that lie before the end of the first `frames` frames, the last perhaps in part.
    public func samples(in frames: Int, rate: Int) -> Int {
        (frames * rate * denominator + numerator - 1) / numerator
    }

    /// "25:1", as yuv4mpeg writes it.
    public var description: String { "\(numerator):\(denominator)" }
}
