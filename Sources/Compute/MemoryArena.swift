/// Ranges of one block of memory, handed out and taken back: what is held long lies at the bottom, what comes and goes at
/// the top, so that neither leaves holes in the other.
///
/// A range is the smallest hole that holds it; the middle, which reaches to what was never used, is taken last. So
/// where a range lies, counted from its end of the block, is the same in every block that is large enough, and `reach` of
/// a run in a very large block is what a block must have for the same run.
public struct MemoryArena: Sendable {
    /// Bytes of the block.
    public let capacity: Int
    /// Bytes handed out now, rounded up to `alignment` each.
    public private(set) var used = 0
    /// The most bytes that were handed out at once.
    public private(set) var peak = 0

    /// What lies free, by address; no two touch.
    private var free: [Range<Int>]
    /// What is handed out, by its first byte.
    private var live: [Int: Int] = [:]
    /// What was never handed out.
    private var untouched: Range<Int>

    /// Every range begins at a multiple of this many bytes.
    public static let alignment = 512

    /// A block of that many bytes, all free; what is beyond the last multiple of `alignment` serves nobody.
    public init(capacity: Int) {
        precondition(capacity >= 0)
        self.capacity = capacity
        untouched = 0..<capacity / Self.alignment * Self.alignment
        free = untouched.isEmpty ? [] : [untouched]
    }

    /// Bytes that were handed out at some time, holes between them included.
    public var reach: Int { capacity / Self.alignment * Self.alignment - untouched.count }

    /// Those of them that lie at the top, reached by what comes and goes.
    public var reachFromTop: Int {
        capacity / Self.alignment * Self.alignment - untouched.upperBound
    }

    /// Bytes that a range of `byteCount` takes.
    public static func size(of byteCount: Int) -> Int {
        (max(1, byteCount) + alignment - 1) / alignment * alignment
    }

    /// A range of at least `byteCount` bytes; throws `OutOfMemory` if no hole is that large, with the bytes by
    /// which the largest is too small.
    public mutating func allocate(
        _ byteCount: Int, for lifetime: Lifetime
    ) throws(OutOfMemory) -> Range<Int> {
        let size = Self.size(of: byteCount)
        guard let index = hole(of: size, for: lifetime) else {
            throw OutOfMemory(
                requested: size, lacking: size - (free.map(\.count).max() ?? 0), limit: capacity,
                used: used)
        }
        let hole = free[index]
        let range: Range<Int>
        switch lifetime {
        case .long: range = hole.lowerBound..<hole.lowerBound + size
        case .short: range = hole.upperBound - size..<hole.upperBound
        }
        replace(index, without: range)
        touch(range, for: lifetime)
        live[range.lowerBound] = size
        used += size
        peak = max(peak, used)
        return range
    }

    /// Takes a range back by its first byte. Traps if none that is handed out begins there.
    public mutating func release(at start: Int) {
        guard let size = live.removeValue(forKey: start) else {
            preconditionFailure("nothing that is handed out begins at \(start)")
        }
        used -= size
        var range = start..<start + size
        let index = firstHole(from: start)
        if index < free.count, free[index].lowerBound == range.upperBound {
            range = range.lowerBound..<free.remove(at: index).upperBound
        }
        if index > 0, free[index - 1].upperBound == range.lowerBound {
            free[index - 1] = free[index - 1].lowerBound..<range.upperBound
        } else {
            free.insert(range, at: index)
        }
    }

    /// The holes, by address.
    public var holes: [Range<Int>] { free }

    /// The smallest hole of at least `size` bytes on the lifetime's own side, else on the other side, else the middle.
    private func hole(of size: Int, for lifetime: Lifetime) -> Int? {
        var best: (index: Int, rank: (Int, Int))?
        for (index, hole) in free.enumerated() where hole.count >= size {
            let rank = (distance(of: hole, from: lifetime), hole.count)
            // Of equals, what is held long takes the lowest, the rest the highest.
            if let best, best.rank < rank || (best.rank == rank && lifetime == .long) { continue }
            best = (index, rank)
        }
        return best?.index
    }

    /// How late a hole's turn comes.
    private func distance(of hole: Range<Int>, from lifetime: Lifetime) -> Int {
        let isBelow = hole.upperBound < untouched.lowerBound
        let isAbove = hole.lowerBound > untouched.upperBound
        switch lifetime {
        // What is held long would split the top for good: only where nothing else is left.
        case .long: return isBelow ? 0 : isAbove ? 2 : 1
        case .short: return isAbove ? 0 : isBelow ? 1 : 2
        }
    }

    /// Cuts a range off one end of a hole.
    private mutating func replace(_ index: Int, without range: Range<Int>) {
        let hole = free[index]
        let rest =
            range.lowerBound == hole.lowerBound
            ? range.upperBound..<hole.upperBound : hole.lowerBound..<range.lowerBound
        if rest.isEmpty { free.remove(at: index) } else { free[index] = rest }
    }

    /// Notes that a range is used from now on. What covers all that was untouched leaves the place where it ends on its own
    /// side, so that holes count to the same side as in a larger block.
    private mutating func touch(_ range: Range<Int>, for lifetime: Lifetime) {
        guard range.overlaps(untouched) else { return }
        let (lower, upper) = (untouched.lowerBound, untouched.upperBound)
        switch lifetime {
        case .long: untouched = min(range.upperBound, upper)..<upper
        case .short: untouched = lower..<max(range.lowerBound, lower)
        }
    }

    /// The index of the first hole that begins behind an address.
    private func firstHole(from address: Int) -> Int {
        var (low, high) = (0, free.count)
        while low < high {
            let middle = (low + high) / 2
            if free[middle].lowerBound < address { low = middle + 1 } else { high = middle }
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
    /// Does something whose allocations are held long.
    public func holdingLong<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let placing = self as? any LifetimePlacing else { return try body() }
        let outer = placing.lifetime
        placing.lifetime = .long
        defer { placing.lifetime = outer }
        return try body()
    }
}
