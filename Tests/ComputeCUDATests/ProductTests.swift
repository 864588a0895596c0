import Compute
import ComputeCUDA
import Tensors
import Testing

/// What algorithms of products are chosen by, and how scores of attention are divided.
@Suite struct ProductTests {
    @Test(arguments: [
        (UInt64(512), 64, 0, 16), (UInt64(512 + 8), 64, 0, 8), (UInt64(512), 51, 0, 2),
        (UInt64(512), 64, 12, 8), (UInt64(1 << 30), 4096, 8192, 16),
    ])
    func takesTheAlignmentThatAllRowsHave(
        address: UInt64, rowStride: Int, batchStride: Int, alignment: Int
    ) {
        let operand = MatrixProduct.Operand(
            address: address, rowStride: rowStride, batchStride: batchStride, dataType: .bfloat16)
        #expect(operand.alignment == alignment)
    }

    @Test func choosesAlikeWhereverRowsStart() {
        let first = MatrixProduct.Operand(address: 4096, rowStride: 80, dataType: .bfloat16)
        let later = MatrixProduct.Operand(address: 4096 + 160, rowStride: 80, dataType: .bfloat16)
        #expect(first == later)
    }

    @Test func dividesScoresByMemory() {
        let all = ScoreChunks(heads: 2, queries: 70, keys: 150)
        #expect(all.rowStride == 152)
        #expect(all.ranges(queries: 70) == [0..<70])
        let tight = ScoreChunks(heads: 40, queries: 3168, keys: 15312)
        #expect(tight.length == 64)
        #expect(40 * tight.length * tight.rowStride * 4 <= ScoreChunks.limit)
        #expect(tight.ranges(queries: 3168).count == 50)
        #expect(tight.ranges(queries: 3168).last == 3136..<3168)
        #expect(
            ScoreChunks(heads: 1, queries: 10, keys: 8, limit: 1).ranges(queries: 10).count == 10)
    }
}
