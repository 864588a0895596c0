import Compute
import ComputeCPU
import Foundation
import Synchronization
import Tensors
import Testing

/// Devices on several threads at once share what oneDNN keeps for the process.
@Suite(.enabled(if: CPUDevice.isSupported(.bfloat16))) struct ConcurrencyTests {
    /// oneDNN 2.6 chooses the blocks of a convolution by a variable of the process, and keeps what it made of a wrong
    /// choice: every shape here is a new one, described on one thread in float32 and on another in bfloat16.
    @Test func convolutionsOfDifferentTypesDoNotMix() {
        let types: [DataType] = [.float32, .bfloat16]
        let wrong = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: types.count) { index in
            do {
                for steps in 1000..<1300 {
                    let sums = try Self.sumsOfOnes(steps: steps, types[index])
                    if !sums.allSatisfy({ $0 == 10 }) {
                        wrong.withLock { $0.append("\(types[index]) of \(steps)") }
                    }
                }
            } catch {
                wrong.withLock { $0.append("\(error)") }
            }
        }
        #expect(wrong.withLock { $0 } == [])
    }

    /// Ones convolved with ones over ten samples of one channel, half of a pair of bfloat16.
    private static func sumsOfOnes(steps: Int, _ type: DataType) throws -> [Float] {
        let device = try CPUDevice(activationType: type)
        let ones = HostFloats([Float](repeating: 1, count: 16 * 10))
        let weight = try device.load(
            [ones.view([16, 1, 10, 1, 1])], as: type, for: .convolution(groups: 1))
        let x = try device.cast(
            device.tensor([Float](repeating: 1, count: steps), [steps, 1, 1, 1]), to: type)
        let geometry = ConvolutionGeometry(stride: .init(5, 1, 1))
        let y = try device.allocate(
            geometry.outputShape(input: x.shape, weight: weight.shape), type)
        try device.convolution(
            x, weight: weight, bias: nil, geometry: geometry, residual: nil, into: y)
        return try device.floats(device.cast(y, to: .float32))
    }
}
