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

    /// Parts of a tensor in tiles are in tiles, and a card's attention copies values that are not.
    @Test func partsOfTilesAreTiles() throws {
        let card = RecordingDevice(activationType: .bfloat16, workspaces: .card(.hopper))
        #expect(card.wantsTiledValues(head: 128) && !card.wantsTiledValues(head: 64))
        #expect(!device.wantsTiledValues(head: 128))
        let scale = card.allocate([1], .float32)
        let memory = card.allocate([4096, 2, 128], .float8E4M3)
        let tiled = memory.scaled(byOne: scale, inTiles: true)
        #expect(!memory.isTiled && !memory.scaled(byOne: scale).isTiled && !tiled.numbers.isTiled)
        let part = tiled.rows(32..<4081)
        #expect(part.isTiled && part.offset == 32 * 256)
        #expect(part.reshaped([1, 4049, 2, 128])[0].isTiled)
        func bytes(values: Tensor) -> Int {
            let before = card.peakBytes
            let query = card.allocate([1, 8, 2, 128], .float8E4M3).scaled(byOne: scale)
            let keys = memory.rows(0..<4049).scaled(byOne: scale)
            card.attention(
                query: query, key: keys.reshaped([1, 4049, 2, 128]),
                value: values.reshaped([1, 4049, 2, 128]), scale: 1, bias: nil, into: query)
            return card.peakBytes - before
        }
        let least = bytes(values: part)
        #expect(
            least > 0 && bytes(values: memory.rows(0..<4049).scaled(byOne: scale)) == 4064 * 256)
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
