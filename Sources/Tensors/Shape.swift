/// The extents of a tensor, outermost axis first. The empty shape is a scalar's.
public struct Shape: Hashable, Sendable {
    /// Extents, none negative.
    public let dimensions: [Int]

    /// Number of elements: the product of the extents.
    public let elementCount: Int

    /// A shape with these extents; traps on a negative extent or a product beyond `Int`.
    public init(_ dimensions: [Int]) {
        guard let shape = Shape(checking: dimensions) else {
            preconditionFailure("no tensor has the shape \(dimensions)")
        }
        self = shape
    }

    /// A shape from numbers that nobody vouched for; nil if one is negative or the product overflows.
    public init?(checking dimensions: [Int]) {
        var count = 1
        var isEmpty = false
        for extent in dimensions {
            guard extent >= 0 else { return nil }
            if extent == 0 {
                isEmpty = true
                continue
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            count = product
        }
        self.dimensions = dimensions
        self.elementCount = isEmpty ? 0 : count
    }

    /// Number of axes.
    public var rank: Int { dimensions.count }

    /// The extent of an axis; negative numbers count from the innermost.
    public subscript(axis: Int) -> Int {
        dimensions[axis < 0 ? rank + axis : axis]
    }
}

extension Shape: ExpressibleByArrayLiteral {
    public init(arrayLiteral dimensions: Int...) {
        self.init(dimensions)
    }
}

extension Shape: CustomStringConvertible {
    public var description: String {
        "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    }
}
