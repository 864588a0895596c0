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

    /// How many scopes `name.0`, `name.1`, ... follow one another in which one of `members` exists.
    ///
    /// Several members are looked for, so that a scope which lacks one is still counted and the claim
    /// reports what is missing.
    public func count(of name: String, having members: [String]) -> Int {
        var count = 0
        while members.contains(where: { shape(of: "\(name).\(count).\($0)") != nil }) { count += 1 }
        return count
    }
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
