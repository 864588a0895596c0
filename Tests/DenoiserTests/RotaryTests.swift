import Denoiser
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

/// Rotary tables against those of the released code, exactly.
@Suite struct RotaryTests {
    let goldens: TensorFile

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/dit_modules.safetensors"))
    }

    /// The grid of the `rope.*` goldens, in latents.
    func grid() throws -> LatentGrid {
        let tokens = try goldens.tensor("rope.grid").floats().map { Int($0) }
        return LatentGrid(height: 2 * tokens[0], width: 2 * tokens[1], clipFrames: 12)
    }

    func positions(_ grid: LatentGrid) -> RotaryPositions {
        RotaryPositions(embedding: RotaryEmbedding(head: 24), grid: grid)
    }

    @Test func pairsPerAxis() throws {
        let split = RotaryEmbedding(head: 128).pairs
        let expected = try goldens.tensor("rope.real_hd128.split").floats()
        #expect([split.frame, split.row, split.column].map(Float.init) == expected)
    }

    @Test(arguments: [3, 4000])
    func blocks(start: Int) throws {
        let expected = try goldens.tensor("rope.noisy.start\(start)").floats()
        #expect(positions(try grid()).block(startingAt: start) == expected)
    }

    @Test(arguments: [0, 37])
    func conditioning(rollout: Int) throws {
        let expected = try goldens.tensor("rope.cond.roll\(rollout)").floats()
        #expect(positions(try grid()).conditioning(rollout: rollout) == expected)
    }

    @Test func tokenCounts() throws {
        let grid = try grid()
        let counts = try goldens.tensor("rope.cond.token_counts").floats()
        #expect(Float(grid.conditioningTokens) == counts.reduce(0, +))
        let real = LatentGrid(height: 48, width: 88, clipFrames: 12)
        #expect(real.blockTokens == 3168)
        #expect(real.windowTokens == 12672)
        #expect(real.conditioningTokens == 2640)
        #expect(LatentGrid(height: 64, width: 64, clipFrames: 12).conditioningTokens == 2560)
    }

    @Test func positionsOfEverySize() throws {
        struct Record: Decodable {
            let spatial: [String: [String: [Int]]]
        }
        let data = try Data(
            contentsOf: URL(fileURLWithPath: Fixtures.path("open/goldens/rope_positions.json")))
        for (size, axes) in try JSONDecoder().decode(Record.self, from: data).spatial {
            let sides = size.split(separator: "x").compactMap { Int($0) }
            for (axis, side) in [("h", sides[0]), ("w", sides[1])] {
                for (scale, patch) in [("1x", 2), ("2x", 4), ("4x", 8)] {
                    let spread = RotaryPositions.spread(over: side / 2, count: side / patch)
                    #expect(spread == axes["\(axis)_\(scale)"], "\(size) \(axis) \(scale)")
                }
            }
        }
    }

    @Test func reachesBeyondTheReleasedTable() throws {
        let last = try goldens.tensor("rope.table_tail_re").floats()
        #expect(last.count == 48)
        // The released table ends at 45,000; an angle is as good at any position.
        let table = RotaryEmbedding(head: 24).table(frames: [1_000_000], rows: [0], columns: [0])
        #expect(abs(table[0] - Float(cos(1_000_000.0))) < 1e-3)
    }
}
