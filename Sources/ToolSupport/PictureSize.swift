import ArgumentParser

/// A video's size as it is typed, sides multiples of 16.
public struct PictureSize: ExpressibleByArgument, CustomStringConvertible, Sendable {
    /// Pixels.
    public let width: Int
    /// Pixels.
    public let height: Int

    /// A size.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    public init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map {
            Int($0)
        }
        guard sides.count == 2, let width = sides[0], let height = sides[1],
            [width, height].allSatisfy({ (64...1 << 13).contains($0) && $0 % 16 == 0 })
        else { return nil }
        self.init(width: width, height: height)
    }

    public var description: String { "\(width)x\(height)" }
}
