import Compute
import Denoiser
import Layers
import Tensors

/// Bytes of a transformer's weights on a device, by how long they are needed.
struct WeightGroups: Hashable {
    /// What every pass reads and no layer owns, and the modulations of layers.
    private(set) var fixed = 0
    /// For each layer what its passes read.
    private(set) var layers: [Int]
    /// What only the start of a run needs, in parts that are there at different times.
    private(set) var start: [String: Int] = [:]

    /// The weights on a device with these types of activations and of large matrices.
    init(of transformer: CausalTransformer, activations: DataType, matrices: DataType) {
        layers = Array(repeating: 0, count: transformer.configuration.layers)
        for parameter in transformer.parameters {
            let bytes = parameter.bytes(activations: activations, matrices: matrices)
            switch Part(of: parameter.paths[0]) {
            case .fixed: fixed += bytes
            case .layer(let layer): layers[layer] += bytes
            case .start(let name): start[name, default: 0] += bytes
            }
        }
    }

    /// The part of the weights to which a path belongs.
    private enum Part {
        case fixed
        case layer(Int)
        case start(String)

        init(of path: String) {
            let names = path.split(separator: ".").map(String.init)
            switch names[0] {
            case "text_embedding": self = .start("text")
            case "time_embedding", "time_projection": self = .start("time")
            case "blocks"
            where names.count > 3 && names[2] == "cross_attn"
                && ["k", "v", "norm_k"].contains(names[3]):
                self = .start(names[1])
            case "blocks" where names[2] != "modulation":
                self = .layer(Int(names[1]) ?? 0)
            default: self = .fixed
            }
        }
    }
}

extension Parameter {
    /// Bytes that the parameter takes of a device's memory, scales of 8-bit rows included.
    fileprivate func bytes(activations: DataType, matrices: DataType) -> Int {
        let type = type.dataType(activations: activations, matrices: matrices)
        let numbers = MemoryArena.size(of: shape.elementCount * type.size)
        guard type.size == 1 else { return numbers }
        return numbers + MemoryArena.size(of: shape[0] * DataType.float32.size)
    }
}
