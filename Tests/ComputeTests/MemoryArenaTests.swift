import Compute
import Testing

@Suite struct MemoryArenaTests {
    private static let unit = MemoryArena.alignment

    @Test func laysWhatIsHeldLongBelowWhatComesAndGoes() throws {
        var arena = MemoryArena(capacity: 10 * Self.unit)
        #expect(try arena.allocate(1, for: .long) == 0..<Self.unit)
        #expect(try arena.allocate(Self.unit + 1, for: .short) == 8 * Self.unit..<10 * Self.unit)
        #expect(try arena.allocate(Self.unit, for: .long) == Self.unit..<2 * Self.unit)
        #expect(arena.used == 4 * Self.unit && arena.peak == 4 * Self.unit)
        #expect(arena.reach == 4 * Self.unit)
    }

    @Test func takesTheSmallestHoleOfItsSide() throws {
        var arena = MemoryArena(capacity: 100 * Self.unit)
        var held: [Range<Int>] = []
        for size in [5, 1, 2, 1, 3, 1] {
            held.append(try arena.allocate(size * Self.unit, for: .long))
        }
        for index in [0, 2, 4] { arena.release(at: held[index].lowerBound) }
        #expect(try arena.allocate(2 * Self.unit, for: .long) == held[2])
        #expect(try arena.allocate(3 * Self.unit, for: .long) == held[4])
        // What comes and goes does not go among what is held long as long as there is room elsewhere.
        #expect(try arena.allocate(86 * Self.unit, for: .short).lowerBound == 14 * Self.unit)
        #expect(try arena.allocate(Self.unit, for: .short) == 13 * Self.unit..<14 * Self.unit)
        #expect(try arena.allocate(Self.unit, for: .short) == 4 * Self.unit..<5 * Self.unit)
        #expect(arena.reach == 100 * Self.unit)
    }

    @Test func saysWhatLacks() throws {
        var arena = MemoryArena(capacity: 4 * Self.unit + 100)
        let first = try arena.allocate(3 * Self.unit, for: .long)
        do {
            _ = try arena.allocate(2 * Self.unit, for: .short)
            Issue.record("two units fit into one")
        } catch {
            #expect(error.requested == 2 * Self.unit && error.lacking == Self.unit)
            #expect(error.limit == 4 * Self.unit + 100 && error.used == 3 * Self.unit)
        }
        arena.release(at: first.lowerBound)
        #expect(try arena.allocate(4 * Self.unit, for: .short) == 0..<4 * Self.unit)
        #expect(throws: OutOfMemory.self) { try arena.allocate(0, for: .long) }
    }

    /// What comes and goes before there is much that is held long does not count with it.
    @Test func reachesAsFarAsBothSidesAtOnce() throws {
        var arena = MemoryArena(capacity: 100 * Self.unit)
        let early = try arena.allocate(70 * Self.unit, for: .short)
        arena.release(at: early.lowerBound)
        _ = try arena.allocate(60 * Self.unit, for: .long)
        let late = try arena.allocate(20 * Self.unit, for: .short)
        #expect(arena.reach == 80 * Self.unit && arena.reachFromTop == 70 * Self.unit)
        arena.forgetReach()
        #expect(arena.reach == 80 * Self.unit && arena.reachFromTop == 20 * Self.unit)
        arena.release(at: late.lowerBound)
        arena.forgetReach()
        #expect(arena.reach == 60 * Self.unit && arena.peak == 60 * Self.unit)
    }

    @Test func hasNothingInAnEmptyBlock() {
        var arena = MemoryArena(capacity: 511)
        #expect(arena.holes.isEmpty && arena.reach == 0)
        #expect(throws: OutOfMemory.self) { try arena.allocate(1, for: .short) }
    }

    /// Every order of giving four ranges back leaves one hole.
    @Test func joinsHolesInAnyOrder() throws {
        for order in Self.permutations(of: [0, 1, 2, 3]) {
            for lifetime in [Lifetime.long, .short] {
                var arena = MemoryArena(capacity: 8 * Self.unit)
                let held = try (1...4).map {
                    try arena.allocate($0 % 2 * Self.unit + 1, for: lifetime)
                }
                for index in order { arena.release(at: held[index].lowerBound) }
                #expect(arena.holes == [0..<8 * Self.unit])
                #expect(arena.used == 0)
            }
        }
    }

    private static func permutations(of items: [Int]) -> [[Int]] {
        guard !items.isEmpty else { return [[]] }
        return items.flatMap { first in
            permutations(of: items.filter { $0 != first }).map { [first] + $0 }
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func keepsItsBooks(seed: UInt64) throws {
        let steps = Self.steps(seed: seed)
        var run = ArenaRun(capacity: 4000 * Self.unit)
        for step in steps {
            try run.take(step)
            run.expectSoundness()
        }
        // A block of what was reached is enough for the same steps, and they lie at the same distances from its ends.
        var exact = ArenaRun(capacity: run.arena.reach)
        for step in steps { try exact.take(step) }
        #expect(exact.arena.peak == run.arena.peak && exact.arena.reach == run.arena.reach)
        let moved = zip(run.places, exact.places).filter { place, other in
            place.fromBottom != other.fromBottom && place.fromTop != other.fromTop
        }
        #expect(moved.isEmpty && exact.places.count == run.places.count)
        for start in run.live.map(\.range.lowerBound) { run.arena.release(at: start) }
        #expect(run.arena.holes == [0..<4000 * Self.unit] && run.arena.used == 0)
    }

    /// Allocations and releases in an order that a seed decides: what is held long early, as models do, and now and then later.
    private static func steps(seed: UInt64) -> [ArenaRun.Step] {
        var random = Generator(state: seed)
        return (0..<300).map { index in
            let isLong = random.next(index < 60 ? 2 : 20) == 0
            if random.next(5) < 2 { return .release(random.next(1000)) }
            return .allocate(
                random.next(isLong ? 9 * unit : 4 * unit), isLong ? .long : .short)
        }
    }
}

/// A run of allocations and releases, checked against a list of what is handed out.
private struct ArenaRun {
    enum Step {
        case allocate(Int, Lifetime)
        /// Gives back one of what is handed out, counted around.
        case release(Int)
    }

    var arena: MemoryArena
    private(set) var live: [(range: Range<Int>, byteCount: Int)] = []
    /// Where each allocation lay: bytes between it and the block's ends.
    private(set) var places: [(fromBottom: Int, fromTop: Int)] = []

    init(capacity: Int) { arena = MemoryArena(capacity: capacity) }

    mutating func take(_ step: Step) throws {
        switch step {
        case .allocate(let byteCount, let lifetime):
            let range = try arena.allocate(byteCount, for: lifetime)
            live.append((range, byteCount))
            places.append((range.lowerBound, arena.capacity - range.upperBound))
        case .release(let number) where !live.isEmpty:
            arena.release(at: live.remove(at: number % live.count).range.lowerBound)
        case .release: break
        }
    }

    func expectSoundness() {
        let ranges = live.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
        #expect(live.allSatisfy { $0.range.count >= $0.byteCount })
        #expect(ranges.allSatisfy { $0.lowerBound % MemoryArena.alignment == 0 })
        #expect(arena.used == ranges.reduce(0) { $0 + $1.count })
        // Ranges and holes, in order, are the block without gap or overlap, and no two holes touch.
        let holes = arena.holes
        let all = (ranges + holes).sorted { $0.lowerBound < $1.lowerBound }
        #expect(all.first?.lowerBound == 0 && all.last?.upperBound == arena.capacity)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(zip(holes, holes.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        #expect(arena.peak <= arena.reach)
    }
}

/// Numbers that look random, the same for a seed everywhere (SplitMix64).
private struct Generator {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }
}
