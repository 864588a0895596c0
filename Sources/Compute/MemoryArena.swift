/// Ranges of one block of memory, handed out and taken back: what is held long lies at the bottom, what comes and goes at
/// the top, so that neither leaves holes in the other.
///
/// A range is the smallest hole of its side that holds it; then comes the middle, between the two sides, and last the other
/// side. So where a range lies, counted from its end of the block, is the same in every block that is large enough, and a block
/// of `reach` bytes is enough for a run that reached so far in a very large one.
public struct MemoryArena: Sendable {
    /// Bytes of the block.
    public let capacity: Int
    /// Bytes handed out now, rounded up to `alignment` each.
    public private(set) var used = 0
    /// The most bytes that were handed out at once.
    public private(set) var peak = 0
    /// The most bytes that both sides took at once, holes in them included.
    public private(set) var reach = 0
    /// The most bytes that the upper side took, holes in it included.
    public private(set) var reachFromTop = 0

    /// What lies free, by address; no two touch.
    public private(set) var holes: [Range<Int>]
    /// What is handed out, by its first byte.
    private var live: [Int: (size: Int, lifetime: Lifetime)] = [:]
    /// How long what ends at a byte is held.
    private var ends: [Int: Lifetime] = [:]

    /// Every range begins at a multiple of this many bytes.
    public static let alignment = 512

    /// A block of that many bytes, all free; what is beyond the last multiple of `alignment` serves nobody.
    public init(capacity: Int) {
        precondition(capacity >= 0)
        self.capacity = capacity
        let end = capacity / Self.alignment * Self.alignment
        holes = end == 0 ? [] : [0..<end]
    }

    /// Bytes that a range of `byteCount` takes.
    public static func size(of byteCount: Int) -> Int {
        max(1, byteCount).roundedUp(to: alignment)
    }

    /// Bytes that can be handed out.
    private var end: Int { capacity / Self.alignment * Self.alignment }

    /// A range of at least `byteCount` bytes; throws `OutOfMemory` if no hole is that large, with the bytes by
    /// which the largest is too small.
    public mutating func allocate(
        _ byteCount: Int, for lifetime: Lifetime
    ) throws(OutOfMemory) -> Range<Int> {
        let size = Self.size(of: byteCount)
        guard let index = hole(of: size, for: lifetime) else {
            throw OutOfMemory(
                requested: size, lacking: size - (holes.map(\.count).max() ?? 0), limit: capacity,
                used: used)
        }
        let hole = holes[index]
        let range: Range<Int>
        switch lifetime {
        case .long: range = hole.lowerBound..<hole.lowerBound + size
        case .short: range = hole.upperBound - size..<hole.upperBound
        }
        replace(index, without: range)
        live[range.lowerBound] = (size, lifetime)
        ends[range.upperBound] = lifetime
        used += size
        noteReach()
        return range
    }

    /// Takes a range back by its first byte. Traps if none that is handed out begins there.
    public mutating func release(at start: Int) {
        guard let (size, _) = live.removeValue(forKey: start) else {
            preconditionFailure("nothing that is handed out begins at \(start)")
        }
        ends[start + size] = nil
        used -= size
        var range = start..<start + size
        let index = firstHole(from: start)
        if index < holes.count, holes[index].lowerBound == range.upperBound {
            range = range.lowerBound..<holes.remove(at: index).upperBound
        }
        if index > 0, holes[index - 1].upperBound == range.lowerBound {
            holes[index - 1] = holes[index - 1].lowerBound..<range.upperBound
        } else {
            holes.insert(range, at: index)
        }
    }

    /// Forgets what was before: `reach` and `peak` count from what is handed out now.
    public mutating func forgetReach() {
        (peak, reach, reachFromTop) = (0, 0, 0)
        noteReach()
    }

    private mutating func noteReach() {
        peak = max(peak, used)
        let middle = holes.first { side(of: $0) == nil }
        reach = max(reach, end - (middle?.count ?? 0))
        reachFromTop = max(reachFromTop, middle.map { end - $0.upperBound } ?? 0)
    }
}

// MARK: - Holes

extension MemoryArena {
    /// The smallest hole of at least `size` bytes on the lifetime's own side, else the middle, else the smallest on the other side.
    private func hole(of size: Int, for lifetime: Lifetime) -> Int? {
        var best: (index: Int, rank: (Int, Int))?
        for (index, hole) in holes.enumerated() where hole.count >= size {
            let side = side(of: hole)
            let rank = (side == lifetime ? 0 : side == nil ? 1 : 2, hole.count)
            // Of equals, what is held long takes the lowest, the rest the highest.
            if let best, best.rank < rank || (best.rank == rank && lifetime == .long) { continue }
            best = (index, rank)
        }
        return best?.index
    }

    /// Among what a hole lies: below something that is held long, or above something that is not; nil for the middle.
    private func side(of hole: Range<Int>) -> Lifetime? {
        if live[hole.upperBound]?.lifetime == .long { return .long }
        return ends[hole.lowerBound] == .short ? .short : nil
    }

    /// Cuts a range off one end of a hole.
    private mutating func replace(_ index: Int, without range: Range<Int>) {
        let hole = holes[index]
        let rest =
            range.lowerBound == hole.lowerBound
            ? range.upperBound..<hole.upperBound : hole.lowerBound..<range.lowerBound
        if rest.isEmpty { holes.remove(at: index) } else { holes[index] = rest }
    }

    /// The index of the first hole that begins behind an address.
    private func firstHole(from address: Int) -> Int {
        var (low, high) = (0, holes.count)
        while low < high {
            let middle = (low + high) / 2
            if holes[middle].lowerBound < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// How long memory is held, which decides where in a block it lies.
public enum Lifetime: Hashable, Sendable {
    /// As weights and windows are.
    case long
    /// As long as an operation or a pass needs it.
    case short
}

/// A device that keeps what is held long apart from what comes and goes.
public protocol LifetimePlacing: AnyObject {
    /// How long memory is held that is allocated from now on; short at first.
    var lifetime: Lifetime { get set }
}

extension Device {
    /// Does something whose allocations are held so long.
    public func holding<Result>(
        _ lifetime: Lifetime, _ body: () throws -> Result
    ) rethrows -> Result {
        guard let placing = self as? any LifetimePlacing else { return try body() }
        let outer = placing.lifetime
        placing.lifetime = lifetime
        defer { placing.lifetime = outer }
        return try body()
    }
}
