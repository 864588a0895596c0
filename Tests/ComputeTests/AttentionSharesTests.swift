import Compute
import Tensors
import Testing

/// How clusters share an attention: every step of every tile is done once, and no cluster does much more than another.
struct AttentionSharesTests {
    /// Queries, keys, heads and multiprocessors.
    private static let sizes = [
        (3168, 15312, 40, 132), (3168, 1024, 40, 132), (1152, 5568, 40, 114), (1, 1024, 1, 132),
        (128, 1056, 132, 132), (130, 1500, 67, 132), (17000, 1024, 1, 132), (384, 1024, 3, 113),
        (300, 1040, 3, 132), (4224, 15312, 40, 114),
    ]

    /// The parts of a cluster as `AttendShares.cuh` takes them: a pair, its steps, and where the first of two blocks leaves its sums.
    private static func parts(
        _ shares: AttentionShares, of cluster: Int
    ) -> [(pair: Int, steps: Range<Int>, index: Int?)] {
        let shared = (shares.pairs - shares.wholePairs) * shares.steps
        let begin = min(cluster * shares.share, shared)
        let end = min(begin + shares.share, shared)
        var parts: [(pair: Int, steps: Range<Int>, index: Int?)] = []
        var next = begin
        while next < end {
            let pair = next / shares.steps
            let first = next - pair * shares.steps
            let last = min(end - pair * shares.steps, shares.steps)
            let slot = pair - cluster * shares.share / shares.steps
            parts.append((shares.wholePairs + pair, first..<last, (cluster * 2 + slot) * 2))
            next = pair * shares.steps + last
        }
        for pair in stride(from: cluster, to: shares.wholePairs, by: shares.clusters) {
            parts.append((pair, 0..<shares.steps, nil))
        }
        return parts
    }

    @Test(arguments: sizes)
    func everyStepIsDoneOnce(queries: Int, keys: Int, heads: Int, multiprocessors: Int) {
        let shares = AttentionShares(
            queries: queries, keys: keys, heads: heads, dataType: .bfloat16,
            multiprocessors: multiprocessors)
        let tiles = (queries + 127) / 128 * heads
        // Only a last tile without another may be done twice.
        #expect((tiles..<tiles + 2).contains(2 * shares.pairs))
        #expect((shares.steps - 1) * 176 < keys && keys <= shares.steps * 176)
        var done = [Int](repeating: 0, count: shares.pairs * shares.steps)
        var places: Set<Int> = []
        var most = 0
        for cluster in 0..<shares.clusters {
            let parts = Self.parts(shares, of: cluster)
            #expect(parts.count { $0.index != nil } <= 2)
            for part in parts {
                for step in part.steps { done[part.pair * shares.steps + step] += 1 }
                guard let index = part.index else { continue }
                #expect(places.insert(index).inserted && index + 1 < 4 * shares.clusters)
            }
            most = max(most, parts.reduce(0) { $0 + $1.steps.count })
        }
        #expect(done.allSatisfy { $0 == 1 })
        #expect(most <= (shares.pairs * shares.steps + shares.clusters - 1) / shares.clusters + 1)
        #expect((shares.sumBytes == 0) == places.isEmpty)
        #expect(shares.sumBytes <= AttentionShares.mostSumBytes)
    }

    @Test func sumsOfTheLargestCard() {
        let shares = AttentionShares(queries: 3168, keys: 15312, heads: 40, dataType: .float8E4M3)
        // A tile of each of two blocks, twice.
        #expect(shares.sumBytes == 66 * 4 * 128 * 130 * 4)
        #expect(shares.sumBytes == AttentionShares.mostSumBytes)
    }

    /// A case of `check-device` that has whole pairs, shares of two pairs, and a tile that is done twice.
    @Test func aSmallCaseHasEverything() {
        let shares = AttentionShares(queries: 300, keys: 1040, heads: 3, dataType: .bfloat16)
        #expect(shares.clusters == 3 && shares.wholePairs == 3 && shares.pairs == 5)
        let parts = (0..<3).map { Self.parts(shares, of: $0) }
        #expect(parts.contains { $0.count { $0.index != nil } == 2 })
        #expect(parts.allSatisfy { $0.allSatisfy { $0.steps.count > 1 } })
    }

    @Test func smallCardsHaveFewerClusters() {
        func clusters(_ multiprocessors: Int) -> Int {
            AttentionShares(
                queries: 3168, keys: 15312, heads: 40, dataType: .bfloat16,
                multiprocessors: multiprocessors
            ).clusters
        }
        #expect(clusters(78) == 39)
        #expect(clusters(144) == AttentionShares.mostClusters)
    }

    @Test func onlyHopperAttendsItself() {
        func attends(_ architecture: Int, _ type: DataType, keys: Int, head: Int = 128) -> Bool {
            let key = RecordingDevice().allocate([1, keys, 2, head], type)
            return CardAbilities(architecture: architecture).attendsItself(key: key)
        }
        #expect(attends(90, .bfloat16, keys: 1024))
        #expect(!attends(90, .bfloat16, keys: 512))
        #expect(attends(90, .float8E4M3, keys: 20))
        #expect(!attends(90, .float32, keys: 4096))
        #expect(!attends(90, .bfloat16, keys: 4096, head: 64))
        #expect(!attends(89, .bfloat16, keys: 4096))
        #expect(!attends(100, .float8E4M3, keys: 4096))
    }
}
