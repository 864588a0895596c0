import StageBenchmarks
import Tensors
import Testing

/// Made-up weights keep numbers in the range of trained ones, at any size.
@Suite struct SyntheticWeightsTests {
    private let weights = SyntheticWeights(.bfloat16, sizes: ["known.weight": [3, 4]])

    private func view(_ name: String, _ shape: Shape) throws -> TensorView {
        weights.claim(name, shape: shape)
        return try weights.view(of: name)
    }

    @Test func tellsSizesThatTheModelDoesNotKnow() {
        #expect(weights.shape(of: "known.weight") == [3, 4])
        #expect(weights.shape(of: "other.weight") == nil)
    }

    @Test func matricesKeepTheSizeOfWhatTheyMultiply() throws {
        let values = try view("blocks.0.ffn.0.weight", [64, 5120]).doubles()
        let mean = values.reduce(0, +) / Double(values.count)
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        #expect(abs(mean) < 1e-4)
        #expect(abs(square * 5120 - 1) < 0.02)
    }

    @Test(arguments: [
        ("norm_q.weight", 1.0), ("residual.0.gamma", 1), ("ffn.0.bias", 0), ("modulation", 0),
    ])
    func vectorsLieAroundTheirMiddle(name: String, middle: Double) throws {
        let values = try view(name, [1000]).doubles()
        #expect(values.allSatisfy { abs($0 - middle) <= 0.104 })
        #expect(Set(values).count > 30)
    }

    /// Larger than the memory that holds the numbers, of which every part is seen.
    @Test func largeTensorsRepeatTheirNumbers() throws {
        let shape: Shape = [13824, 5120]
        let bytes = try view("blocks.0.ffn.2.weight", shape)
        let count = shape.elementCount * 2
        #expect(bytes.bytes.count == count)
        let period = 4099 * 4096
        for place in [0, 12345, count - 3 * period - 1] {
            #expect(bytes.bytes[place] == bytes.bytes[place + period])
        }
        #expect(weights.bytesRead == count)
    }
}
