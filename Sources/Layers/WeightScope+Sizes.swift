import Tensors

extension WeightScope {
    /// The shape of a weight that sizes follow from: of `rank` extents, none of them 0.
    ///
    /// Throws `UnusableWeight` at once, since nothing can be claimed without it.
    public func shape(of name: String, rank: Int) throws(UnusableWeight) -> Shape {
        guard let shape = shape(of: name) else { throw unusable(name, "is missing") }
        guard shape.rank == rank, shape.elementCount > 0 else {
            throw unusable(name, "has the shape \(shape), expected \(rank) extents above 0")
        }
        return shape
    }

    /// An error about the weight of this name, from which the model's sizes should follow.
    public func unusable(_ name: String, _ reason: String) -> UnusableWeight {
        UnusableWeight(source: sourcePath, path: path(name), reason: reason)
    }

    /// The outermost extent of a weight of `rank` extents, which another weight here has too.
    ///
    /// Throws `UnusableWeight` if they differ, since the claims of a size that is wrong would name every weight but the
    /// one that told it. That the other one is missing is left to its claim.
    public func rows(
        of name: String, rank: Int, as other: String
    ) throws(UnusableWeight) -> Int {
        let rows = try shape(of: name, rank: rank)[0]
        if let others = shape(of: other)?.dimensions.first, others != rows {
            throw unusable(name, "has \(rows) rows, but '\(path(other))' has \(others)")
        }
        return rows
    }

    /// How many scopes `name.0`, `name.1`, ... there are up to the last one in which one of `members` exists.
    ///
    /// Several members are looked for, and a scope without any before the last is counted, so that the claims report
    /// what is missing.
    public func count(of name: String, having members: [String]) -> Int {
        let last = (0..<Self.mostScopes).last { index in
            members.contains { shape(of: "\(name).\(index).\($0)") != nil }
        }
        return last.map { $0 + 1 } ?? 0
    }

    /// More than any model has.
    private static let mostScopes = 1000
}

/// A weight from which a model's sizes should follow, and do not.
public struct UnusableWeight: Error, Hashable, Sendable, CustomStringConvertible {
    /// The checkpoint's path as it was given.
    public let source: String
    /// The weight's path in it.
    public let path: String
    /// What is wrong, as it follows the path.
    public let reason: String

    public var description: String { "cannot use '\(source)': tensor '\(path)' \(reason)" }
}
