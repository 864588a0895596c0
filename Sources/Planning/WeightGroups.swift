import Compute
import Denoiser
import Layers
import Tensors

/// Bytes of a transformer's weights on a device, by how long they are needed.
struct WeightGroups: Hashable {
    /// What every pass reads and no layer owns, and the modulations of layers.
    let fixed: Int
    /// For each layer what its passes read.
    let layers: [Int]
    /// For each layer what travels if it is streamed.
    let bundles: [Int]
    /// What only the start of a run needs, at most at once, and with what conversions need beside the largest of it.
    let start: Int

    /// The weights on a device with these types of activations and of large matrices.
    init(of transformer: CausalTransformer, activations: DataType, matrices: DataType) {
        func bytes(_ parameters: [Parameter]) -> Int {
            parameters.reduce(0) {
                $0 + $1.bytes(activations: activations, matrices: matrices)
            }
        }
        let range = 0..<transformer.configuration.layers
        let layers = range.map { bytes(transformer.passParameters(ofLayer: $0)) }
        self.layers = layers
        bundles = range.map {
            transformer.layerBundle($0, activations: activations, matrices: matrices).byteCount
        }
        fixed =
            bytes(transformer.parameters) - layers.reduce(0, +)
            - bytes(transformer.startParameters)
        start =
            transformer.startParameterGroups.map { group in
                bytes(group) + (group.map(\.storedBytes).max() ?? 0)
            }.max() ?? 0
    }
}

extension Parameter {
    /// Bytes that the parameter takes of a device's memory, scales of 8-bit rows included.
    fileprivate func bytes(activations: DataType, matrices: DataType) -> Int {
        let type = type.dataType(activations: activations, matrices: matrices)
        let numbers = MemoryArena.size(of: shape.elementCount * type.size)
        guard type.isNarrow else { return numbers }
        return numbers + MemoryArena.size(of: shape[0] * DataType.float32.size)
    }

    /// Bytes as published, in bfloat16, before they are converted.
    fileprivate var storedBytes: Int {
        MemoryArena.size(of: shape.elementCount * DataType.bfloat16.size)
    }
}
