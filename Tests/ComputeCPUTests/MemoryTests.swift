import Compute
import ComputeCPU
import Tensors
import TestSupport
import Testing

@Suite struct MemoryTests {
    @Test func countsWhatLives() throws {
        let device = try CPUDevice()
        var first: Tensor? = try device.allocate([1000], .float32)
        #expect(device.allocatedBytes == 4032, "rounded up to 64 bytes")
        let second = try device.allocate([16], .bfloat16)
        #expect(device.allocatedBytes == 4096)
        first = nil
        #expect(first == nil && device.allocatedBytes == 64)
        #expect(device.peakBytes == 4096)
        #expect(second.byteCount == 32)
    }

    @Test func keepsViewsAlive() throws {
        let device = try CPUDevice()
        var whole: Tensor? = try device.tensor(noise(64), [8, 8])
        let part = try #require(whole).rows(2..<4)
        whole = nil
        #expect(device.allocatedBytes == 256)
        #expect(try device.floats(part) == Array(noise(64)[16..<32]))
    }

    @Test func saysWhatLacksBeyondTheLimit() throws {
        let device = try CPUDevice(memoryLimit: 10_000)
        let held = try device.allocate([1000], .float32)
        let error = #expect(throws: OutOfMemory.self) {
            try device.allocate([2000], .float32)
        }
        #expect(error?.requested == 8000)
        #expect(error?.lacking == held.byteCount + 32 + 8000 - 10_000)
        #expect(
            error.map(String.init(describing:))
                == "out of memory: 8000 bytes wanted beside 4032 in use of 10000 bytes;"
                + " 2032 bytes lack")
        _ = try device.allocate([1000], .float32)
    }

    /// Memory kept for reuse gives way to what is wanted now.
    @Test func reusesWithinTheLimit() throws {
        let device = try CPUDevice(memoryLimit: 10_000)
        for count in [2000, 1000, 2400, 10, 2496] {
            _ = try device.allocate([count], .float32)
        }
        #expect(device.allocatedBytes == 0)
        #expect(device.peakBytes == 9984)
    }

    /// From the heap, as mappings, and as mappings on the bounds of huge pages; each goes when the next comes.
    @Test func allocatesBlocksOfAnySize() throws {
        let device = try CPUDevice()
        for count in [0, 1, 17, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 3_000_001] {
            let tensor = try device.allocate([count], .float32)
            let numbers = [Float](repeating: 1, count: count)
            try numbers.withUnsafeBytes { try device.write($0, to: tensor) }
            #expect(try device.floats(tensor) == numbers)
        }
        #expect(device.allocatedBytes == 0)
    }

    @Test func mapsElementsInPlace() throws {
        let device = try CPUDevice()
        let numbers = noise(4096)
        let view = HostFloats(numbers).view([64, 64])
        let mapped = try device.load([view], as: .float32, for: .elements)
        #expect(device.allocatedBytes == 0)
        #expect(try device.floats(mapped) == numbers)
        let stacked = try device.load([view, view], as: .float32, for: .elements)
        #expect(device.allocatedBytes == 2 * 4096 * 4)
        #expect(stacked.shape == [128, 64])
        #expect(try device.floats(stacked) == numbers + numbers)
    }

    /// Files of other writers may have tensors at any byte.
    @Test func copiesWhatIsNotAligned() throws {
        let device = try CPUDevice()
        let numbers = noise(6)
        var bytes: [UInt8] = [0]
        numbers.withUnsafeBytes { bytes += $0 }
        let view = HostBytes(bytes).view(.float32, [2, 3], skipping: 1)
        #expect(!view.isAligned)
        for use in [TensorUse.elements, .linear] {
            let tensor = try device.load([view], as: .float32, for: use)
            #expect(tensor.shape == [2, 3] && device.allocatedBytes > 0)
        }
        let elements = try device.load([view], as: .float32, for: .elements)
        #expect(try device.floats(elements) == numbers)
    }

    @Test(arguments: [DataType.bfloat16, .float16, .float64])
    func convertsWhatItLoads(dataType: DataType) throws {
        let device = try CPUDevice()
        let bytes: [UInt8] =
            switch dataType {
            case .bfloat16: [0x80, 0x3F, 0x00, 0xC0]
            case .float16: [0x00, 0x3C, 0x00, 0xC0]
            default: [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]
            }
        let view = HostBytes(bytes).view(dataType, [2])
        let tensor = try device.load([view], as: .float32, for: .elements)
        #expect(try device.floats(tensor) == [1, -2])
    }
}
