import Compute
import Layers
import Tensors

/// A weight on a processor, which packs matrices for its products and leaves those of 8 bits that it does not pack in their
/// file.
struct HostedParameter {
    private let parameter: Parameter
    private let type: DataType
    private let isPrepared: Bool
    private let packsNarrow: Bool

    /// A weight that becomes `type`, stored with scales if it is one of `preparedType`.
    init(
        _ parameter: Parameter, type: DataType, preparedType: DataType?,
        processor: ProcessorAbilities
    ) {
        self.parameter = parameter
        self.type = type
        isPrepared = type.size == 1 && preparedType == type
        packsNarrow = type == .int8 && processor.multipliesInt8
    }

    /// Bytes that are held, and bytes needed beside them while the weight is loaded.
    var sizes: (held: Int, loading: Int) {
        switch parameter.use {
        case .elements: (elements, 0)
        case .convolution: (packed, parameter.paths.count > 1 ? elements : 0)
        case .linear where type.size > 1: (packed, parameter.paths.count > 1 ? elements : 0)
        case .linear: narrow
        }
    }

    private var elements: Int {
        MemoryArena.size(of: parameter.shape.elementCount * type.size)
    }

    private var scales: Int {
        MemoryArena.size(of: parameter.shape[0] * DataType.float32.size)
    }

    /// Bytes in oneDNN's blocks of whole cache lines.
    private var packed: Int {
        let (rows, inner) = (parameter.shape[0], parameter.shape[1])
        let taps = parameter.shape.dimensions.dropFirst(2).reduce(1, *)
        let granule = 64
        return MemoryArena.size(
            of: rows.roundedUp(to: granule) * inner.roundedUp(to: granule / type.size) * taps
                * type.size)
    }

    private var narrow: (held: Int, loading: Int) {
        let isMapped = isPrepared && parameter.paths.count == 1
        let stored = isMapped ? 0 : elements
        let ofScales = isMapped ? 0 : scales
        // Rows of float32 that are rounded at a time.
        let rounded =
            isPrepared
            ? 0 : min(16 << 20, parameter.shape.elementCount * DataType.float32.size)
        guard packsNarrow else { return (stored + ofScales, rounded) }
        // Beside packed numbers oneDNN keeps a sum for each row.
        return (packed + scales + ofScales, max(stored, rounded))
    }
}
