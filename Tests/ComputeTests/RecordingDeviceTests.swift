import Compute
import Tensors
import Testing

@Suite struct RecordingDeviceTests {
    @Test func recordsOperationsInOrder() throws {
        let device = RecordingDevice(activationType: .bfloat16)
        let x = device.allocate([5, 8], .bfloat16)
        let weight = device.allocate([3, 8], .bfloat16)
        let bias = device.allocate([3], .float32)
        let y = try device.linear(x, weight: weight, bias: bias, activation: .silu)
        _ = try device.cast(y, to: .float32)
        #expect(
            device.records.map(\.description) == [
                "linear(bfloat16[5, 8], bfloat16[3, 8], float32[3]) -> bfloat16[5, 3]",
                "copy(bfloat16[5, 3]) -> float32[5, 3]",
            ])
        device.removeRecords()
        #expect(device.records.isEmpty)
    }

    @Test func countsBytesOfLiveTensors() {
        let device = RecordingDevice()
        var first: Tensor? = device.allocate([4, 4], .float32)
        let second = device.allocate([8], .bfloat16)
        #expect(device.allocatedBytes == 80)
        first = nil
        #expect(first == nil && device.allocatedBytes == 16)
        #expect(device.peakBytes == 80)
        #expect(second.byteCount == 16)
    }

    @Test func readsZeros() throws {
        let device = RecordingDevice()
        let x = try device.tensor([1, 2, 3], [3])
        #expect(try device.floats(x) == [0, 0, 0])
    }
}

@Suite struct TensorTests {
    private let device = RecordingDevice()

    @Test func sharesElementsWithItsParts() {
        let x = device.allocate([4, 6], .float32)
        let part = x.rows(1..<3).columns(2..<5)
        #expect(part.shape == [2, 3])
        #expect(part.offset == 8)
        #expect(part.strides == [6, 1])
        #expect(!part.isContiguous)
        #expect(part.storage === x.storage)
    }

    @Test func splitsAndJoinsColumns() {
        let heads = device.allocate([4, 12], .float32).columns(4..<10).splittingColumns(into: 3)
        #expect(heads.shape == [4, 3, 2])
        #expect(heads.strides == [12, 2, 1])
        #expect(heads.joiningColumns().shape == [4, 6])
        #expect(heads.joiningColumns().strides == [12, 1])
    }

    @Test func knowsWhatIsContiguous() {
        let x = device.allocate([4, 6], .float32)
        #expect(x.rows(2..<4).isContiguous)
        #expect(x.rows(2..<3).columns(1..<4).isContiguous, "one row has no gaps")
        #expect(!x.columns(0..<5).isContiguous)
        #expect(x[3].shape == [6])
        #expect(x[3].offset == 18)
        #expect(x.reshaped([2, 12]).strides == [12, 1])
    }

    @Test func convolutionsHaveTheirShapes() {
        let geometry = ConvolutionGeometry(
            stride: .init(1, 2, 2), leading: .init(2, 0, 1), trailing: .init(0, 1, 1))
        #expect(
            geometry.outputShape(input: [5, 8, 9, 16], weight: [32, 16, 3, 3, 3])
                == [5, 4, 5, 32])
    }
}
