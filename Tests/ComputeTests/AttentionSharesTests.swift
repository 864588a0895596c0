import Compute
import Tensors
import Testing

/// How clusters share an attention: every step of every tile is done once, and no cluster does much more than another.
struct AttentionSharesTests {
    /// Queries, keys, heads and multiprocessors.
    private static let sizes = [
        (3168, 15312, 40, 132), (3168, 1024, 40, 132), (1152, 5568, 40, 114), (1, 1024, 1, 132),
        (128, 1056, 132, 132), (130, 1500, 67, 132), (17000, 1024, 1, 132), (384, 1024, 3, 113),
    ]

    @Test(arguments: sizes)
    func everyStepIsDoneOnce(queries: Int, keys: Int, heads: Int, multiprocessors: Int) {
        let shares = AttentionShares(
            queries: queries, keys: keys, heads: heads, dataType: .bfloat16,
            multiprocessors: multiprocessors)
        let tiles = (queries + 127) / 128 * heads
        // Only a last tile without another may be done twice.
        #expect((tiles..<tiles + 2).contains(2 * shares.pairs))
        #expect((shares.steps - 1) * 176 < keys && keys <= shares.steps * 176)
        let clusters = shares.clusters
        #expect(clusters == multiprocessors / 2)
        #expect(shares.wholePairs % clusters == 0)
        let rest = shares.pairs - shares.wholePairs
        #expect((0..<clusters).contains(rest))
        // What is left over is shared out, none of it twice, in shares of a pair at most.
        #expect(shares.share <= shares.steps)
        #expect(shares.share * clusters >= rest * shares.steps)
        #expect((shares.share - 1) * clusters < rest * shares.steps || rest == 0)
        #expect((shares.sumBytes == 0) == (rest == 0))
    }

    @Test func aClusterHasSharesOfTwoPairsAtMost() {
        let shares = AttentionShares(queries: 3168, keys: 15312, heads: 40, dataType: .float8E4M3)
        for cluster in 0..<shares.clusters {
            let first = cluster * shares.share
            let last = first + shares.share - 1
            #expect(last / shares.steps - first / shares.steps <= 1)
        }
        // A tile of each of two blocks, twice.
        #expect(shares.sumBytes == 66 * 4 * 128 * 130 * 4)
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
