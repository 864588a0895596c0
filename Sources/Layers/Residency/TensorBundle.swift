import Compute
import Tensors

/// Where several tensors lie in one piece of memory, those of 8 bits with the scales of their rows: what travels together.
public struct TensorBundle: Hashable, Sendable {
    /// What one tensor is.
    public struct Content: Hashable, Sendable {
        let shape: Shape
        let dataType: DataType
        /// Whether it is a matrix of 8-bit numbers with a scale for each row.
        let hasScaledRows: Bool

        /// A tensor of this shape and type.
        public init(_ shape: Shape, _ dataType: DataType, hasScaledRows: Bool = false) {
            self.shape = shape
            self.dataType = dataType
            self.hasScaledRows = hasScaledRows
        }
    }

    /// A tensor's place, in bytes from the start.
    private struct Part: Hashable {
        let content: Content
        let start: Int
        let scalesStart: Int
    }

    /// Bytes of all tensors and the gaps between them.
    public let byteCount: Int
    private let parts: [Part]

    /// Each tensor begins at a multiple of so many bytes, as memory that is allocated for it alone would.
    public static let alignment = 256

    /// Tensors one behind the other.
    public init(_ contents: [Content]) {
        var end = 0
        func place(_ byteCount: Int) -> Int {
            let start = end
            end += (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
            return start
        }
        parts = contents.map {
            let start = place($0.shape.elementCount * $0.dataType.size)
            let scales = $0.hasScaledRows ? place($0.shape[0] * DataType.float32.size) : 0
            return Part(content: $0, start: start, scalesStart: scales)
        }
        byteCount = end
    }

    /// The tensors of parameters on a device with these types of activations and of large matrices.
    public init(_ parameters: [Parameter], activations: DataType, matrices: DataType) {
        self.init(
            parameters.map {
                let type = $0.type.dataType(activations: activations, matrices: matrices)
                return Content($0.shape, type, hasScaledRows: type.isNarrow)
            })
    }
}

// MARK: - Tensors

extension TensorBundle {
    /// The tensors in memory, uint8 [at least byteCount].
    public func tensors(in memory: Tensor) -> [Tensor] {
        precondition(memory.dataType == .uint8 && memory.isContiguous)
        precondition(memory.byteCount >= byteCount)
        return parts.map { part in
            let content = part.content
            let tensor = Tensor(
                storage: memory.storage,
                offset: (memory.offset + part.start) / content.dataType.size,
                shape: content.shape, dataType: content.dataType)
            guard content.hasScaledRows else { return tensor }
            return tensor.scaled(
                byRows: Tensor(
                    storage: memory.storage,
                    offset: (memory.offset + part.scalesStart) / DataType.float32.size,
                    shape: [content.shape[0]], dataType: .float32))
        }
    }

    /// Copies tensors from a device's memory to their places in the host's.
    func read(
        _ tensors: [Tensor], into bytes: UnsafeMutableRawBufferPointer, on device: any Device
    ) throws {
        precondition(tensors.count == parts.count && bytes.count >= byteCount)
        func read(_ tensor: Tensor, at start: Int) throws {
            let range = start..<start + tensor.byteCount
            try device.read(tensor, into: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
        }
        for (tensor, part) in zip(tensors, parts) {
            let content = part.content
            precondition(tensor.shape == content.shape && tensor.dataType == content.dataType)
            precondition(tensor.hasScaledRows == content.hasScaledRows)
            try read(tensor.numbers, at: part.start)
            if let scales = tensor.scales { try read(scales, at: part.scalesStart) }
        }
    }
}

// MARK: - Bytes

extension TensorBundle {
    /// The bytes of some rows of a tensor, without their scales.
    public func bytes(ofRows rows: Range<Int>, of tensor: Int) -> Range<Int> {
        let (part, content) = (parts[tensor], parts[tensor].content)
        precondition(rows.lowerBound >= 0 && rows.upperBound <= content.shape[0])
        let row = content.shape.elementCount / max(1, content.shape[0]) * content.dataType.size
        return part.start + rows.lowerBound * row..<part.start + rows.upperBound * row
    }

    /// All bytes but those of these ranges, which are in order.
    public func bytes(except ranges: [Range<Int>]) -> [Range<Int>] {
        let starts = [0] + ranges.map(\.upperBound)
        let ends = ranges.map(\.lowerBound) + [byteCount]
        return zip(starts, ends).map { $0..<$1 }.filter { !$0.isEmpty }
    }
}
