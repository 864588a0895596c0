import Tensors
import Testing

@Suite struct ShapeTests {
    @Test func countsElements() {
        #expect(Shape([2, 3, 4]).elementCount == 24)
        #expect(Shape([]).elementCount == 1)
        #expect(Shape([2, 0, 4]).elementCount == 0)
    }

    @Test func countsAxesFromTheEnd() {
        let shape: Shape = [2, 3, 4]
        #expect(shape[-1] == 4)
        #expect(shape[0] == 2)
    }

    @Test func refusesWhatNoTensorHas() {
        #expect(Shape(checking: [2, -1]) == nil)
        #expect(Shape(checking: [Int.max, 2]) == nil)
        #expect(Shape(checking: [Int.max, 2, 0]) == nil)
    }
}
