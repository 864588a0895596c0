import Compute
import Tensors

/// Computes every operation in float64 with straight loops, as the formulas of `Device` say: what other devices are
/// judged by. Slow; results are not rounded to a tensor's type until they are read.
public final class ReferenceDevice: Device {
    public let name = "reference"
    public let activationType: DataType

    /// A device that says that it keeps activations in `activationType`.
    public init(activationType: DataType = .float32) {
        self.activationType = activationType
    }

    /// The elements of a tensor in row-major order; where it has scales, numbers times scales.
    public func values(_ tensor: Tensor) -> [Double] {
        let memory = Self.memory(tensor)
        let numbers = Self.places(tensor).map { memory.elements[$0] }
        guard let scales = scales(of: tensor) else { return numbers }
        return zip(numbers, scales).map { $0 * $1 }
    }

    /// Replaces the elements of a tensor, in row-major order. Numbers of 8 bits are not rounded either, but those with
    /// one scale stay within the largest.
    func store(_ values: [Double], in tensor: Tensor) {
        let memory = Self.memory(tensor)
        precondition(values.count == tensor.shape.elementCount)
        if tensor.hasScaledRows { chooseScales(for: values, of: tensor) }
        var numbers = values
        if let scales = scales(of: tensor) {
            let largest = tensor.dataType.largestNumber
            numbers = zip(values, scales).map { max(-largest, min(largest, $0 / $1)) }
        }
        for (place, number) in zip(Self.places(tensor), numbers) { memory.elements[place] = number }
    }

    /// The scale of each element in row-major order; nil without scales.
    func scales(of tensor: Tensor) -> [Double]? {
        guard let scales = tensor.scales.map(values) else { return nil }
        let count = tensor.shape.elementCount
        guard tensor.hasScaledRows else { return [Double](repeating: scales[0], count: count) }
        return (0..<count).map { scales[$0 * scales.count / count] }
    }

    private func chooseScales(for values: [Double], of tensor: Tensor) {
        guard let scales = tensor.scales, !values.isEmpty else { return }
        let rows = NarrowRows(values, width: values.count / tensor.shape[0], tensor.dataType)
        store(rows.scales, in: scales)
    }

    private static func memory(_ tensor: Tensor) -> DoubleMemory {
        guard let memory = tensor.numbers.storage as? DoubleMemory else {
            preconditionFailure("\(tensor) is another device's")
        }
        return memory
    }

    /// Where the elements of a tensor lie, in row-major order.
    private static func places(_ tensor: Tensor) -> [Int] {
        guard tensor.shape.elementCount > 0 else { return [] }
        var places = [tensor.offset]
        for (extent, stride) in zip(tensor.shape.dimensions, tensor.strides) {
            places = places.flatMap { place in (0..<extent).map { place + $0 * stride } }
        }
        return places
    }
}

/// Elements as float64, NaN until something is stored.
private final class DoubleMemory: Storage {
    var elements: [Double]
    let byteCount: Int

    init(count: Int, byteCount: Int) {
        elements = [Double](repeating: .nan, count: count)
        self.byteCount = byteCount
    }
}

// MARK: - Memory

extension ReferenceDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) -> Tensor {
        let memory = DoubleMemory(
            count: shape.elementCount, byteCount: shape.elementCount * dataType.size)
        return Tensor(storage: memory, shape: shape, dataType: dataType)
    }

    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) -> Tensor {
        if case .linear = use, dataType.isNarrow { return narrow(views, dataType) }
        let tensor = allocate(views.stackedShape, dataType)
        store(views.flatMap { $0.doubles() }.map { rounded($0, to: dataType) }, in: tensor)
        return tensor
    }

    /// Each row rounded by a scale of its own.
    private func narrow(_ views: [TensorView], _ dataType: DataType) -> Tensor {
        let shape = views.stackedShape
        let rows = NarrowRows(views.flatMap { $0.doubles() }, width: shape[1], dataType)
        let (numbers, scales) = (allocate(shape, dataType), allocate([shape[0]], .float32))
        store(rows.numbers, in: numbers)
        store(rows.scales, in: scales)
        return numbers.scaled(byRows: scales)
    }

    public func load(_ numbers: [TensorView], scales: [TensorView]) -> Tensor {
        load(numbers, as: numbers[0].dataType, for: .elements)
            .scaled(byRows: load(scales, as: .float32, for: .elements))
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) {
        let owner = DoubleMemory(count: 0, byteCount: 0)
        let view = TensorView(
            name: "", dataType: tensor.dataType, shape: tensor.shape, bytes: bytes, owner: owner)
        store(view.doubles(), in: tensor)
    }

    public func clear(_ tensor: Tensor) {
        store([Double](repeating: 0, count: tensor.shape.elementCount), in: tensor)
    }

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        for (index, value) in values(tensor).enumerated() {
            let offset = index * tensor.dataType.size
            switch tensor.dataType {
            case .float32: bytes.storeBytes(of: Float(value), toByteOffset: offset, as: Float.self)
            case .bfloat16:
                bytes.storeBytes(
                    of: BFloat16(Float(value)), toByteOffset: offset, as: BFloat16.self)
            case .int32: bytes.storeBytes(of: Int32(value), toByteOffset: offset, as: Int32.self)
            case .uint8: bytes.storeBytes(of: UInt8(value), toByteOffset: offset, as: UInt8.self)
            default:
                throw UnsupportedOperation(
                    device: name, operation: "reading \(tensor.dataType)")
            }
        }
    }

    public func synchronize() {}
}

/// A number as a tensor of this type holds it.
func rounded(_ value: Double, to dataType: DataType) -> Double {
    switch dataType {
    case .float32: Double(Float(value))
    case .bfloat16: Double(Float(BFloat16(Float(value))))
    default: value
    }
}
