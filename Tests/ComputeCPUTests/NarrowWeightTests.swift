import Compute
import ComputeCPU
import Tensors
import Testing

/// Weights of 8 bits: what they take, and what follows a product that is made in parts.
@Suite(.serialized) struct NarrowWeightTests {
    private static let types: [DataType] = [.int8, .float8E4M3]

    @Test func keepsMatricesAsActivationsUnlessSaid() throws {
        #expect(try CPUDevice().matrixType == .float32)
        let device = try CPUDevice(matrixType: .int8)
        #expect(device.matrixType == .int8 && device.activationType == .float32)
        let weight = try device.load([numbers([32, 16])], as: .int8, for: .linear)
        #expect(weight.dataType == .int8 && weight.shape == [32, 16] && weight.hasScaledRows)
        let input = try device.allocateInput(rows: 3, of: weight)
        #expect(input.dataType == .float32 && input.shape == [3, 16])
        let error = #expect(throws: UnsupportedOperation.self) {
            try CPUDevice(matrixType: .float16)
        }
        #expect(error?.description.contains("float16 matrices") == true)
    }

    /// Rounded from float32, 16 MB at a time; packed numbers have sums of rows beside them.
    @Test(.enabled(if: CPUDevice.isSupported(.int8))) func holdsAByteForANumber() throws {
        let device = try CPUDevice()
        let count = 2048 * 1024
        let weight = try device.load([numbers([2048, 1024])], as: .int8, for: .linear)
        #expect(device.allocatedBytes < count + count / 50)
        #expect(device.peakBytes < 2 * count + count / 25)
        #expect(weight.byteCount == count)
    }

    /// Numbers that are stored so are multiplied where they lie.
    @Test func leavesStoredFloat8InPlace() throws {
        let device = try CPUDevice()
        let (numbers, scales) = stored(.float8E4M3, [256, 128])
        let weight = try device.load([numbers], scales: [scales])
        #expect(device.allocatedBytes == 0)
        _ = try device.linear(device.tensor(noise(128), [1, 128]), weight: weight)
        #expect(device.peakBytes < 1 << 18)
    }

    /// More rows than sums are made for at a time, and more columns than are widened at a time.
    @Test(arguments: types) func partsChangeNothing(type: DataType) throws {
        let device = try CPUDevice()
        for (rows, inner, columns) in [(1100, 16, 4096), (3, 4096, 1100)] {
            let x = try device.tensor(noise(rows * inner), [rows, inner])
            let weight = try device.load([numbers([columns, inner])], as: type, for: .linear)
            let whole = try device.floats(device.linear(x, weight: weight))
            let exact = try device.load([numbers([columns, inner])], as: .float32, for: .linear)
            let wanted = try device.floats(device.linear(x, weight: exact))
            // Rounding costs up to four hundredths of a typical product, the largest of millions some sevenfold.
            let typical = Float(inner).squareRoot() / 3
            let largest = zip(whole, wanted).map { abs($0 - $1) }.max() ?? 0
            #expect(largest < 0.3 * typical, "\(rows) rows, \(columns) columns")
            let last = try device.linear(x.rows(rows - 1..<rows), weight: weight)
            let tail = whole[(rows - 1) * columns..<rows * columns]
            #expect(zip(try device.floats(last), tail).allSatisfy { abs($0 - $1) < 1e-4 * typical })
        }
    }

    /// What is not a number spoils its row and no other.
    @Test(arguments: types, [Float.nan, .infinity])
    func passesOnWhatIsNotANumber(type: DataType, stray: Float) throws {
        let device = try CPUDevice()
        var values = noise(3 * 40)
        values[40 + 7] = stray
        let x = try device.tensor(values, [3, 40])
        let weight = try device.load([numbers([24, 40])], as: type, for: .linear)
        let y = try device.floats(device.linear(x, weight: weight))
        #expect(y.indices.allSatisfy { y[$0].isFinite == ($0 / 24 != 1) })
    }

    /// As attention of float8_e4m3 leaves them for matrices of int8.
    @Test func roundsNumbersOfAnotherTypeAnew() throws {
        let device = try CPUDevice()
        let weight = try device.load([numbers([8, 16])], as: .int8, for: .linear)
        let x = try device.allocateScaledRows([2, 16], .float8E4M3)
        try device.copy(device.tensor(noise(2 * 16), [2, 16]), into: x)
        let wide = try device.linear(device.cast(x, to: .float32), weight: weight)
        #expect(try device.floats(device.linear(x, weight: weight)) == device.floats(wide))
    }

    private func numbers(_ shape: Shape) -> TensorView {
        HostFloats(noise(shape.elementCount)).view(shape)
    }

    /// Numbers and scales as a prepared checkpoint has them.
    private func stored(_ type: DataType, _ shape: Shape) -> (TensorView, TensorView) {
        let bits = (0..<shape.elementCount).map { UInt8($0 % 120) }
        let scales = (0..<shape[0]).map { 1 + Float($0) }
        return (HostBytes(bits).view(type, shape), HostFloats(scales).view([shape[0]]))
    }
}
