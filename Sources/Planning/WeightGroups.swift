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
    /// What only modulations are made of, with what conversions need beside the largest of it; on a processor at least what any
    /// weight needs while it is loaded.
    let time: Int
    /// What conversions need beside the largest weight of which keys and values of the text are made.
    let textLoading: Int
    /// Those weights, at most at once, and that.
    let text: Int

    /// The weights of a request's model at a place.
    init(of request: PlanRequest, at place: PlanPlace) throws {
        let transformer = try request.model.transformer()
        let (activations, matrices) = (
            request.precision.activationType, request.precision.matrixType
        )
        func sizes(_ parameter: Parameter) -> (held: Int, loading: Int) {
            let type = parameter.type.dataType(activations: activations, matrices: matrices)
            guard place.card == nil else {
                return (parameter.bytes(as: type), parameter.storedBytes)
            }
            return HostedParameter(
                parameter, type: type, preparedType: request.model.preparedType,
                processor: place.processor
            ).sizes
        }
        func bytes(_ parameters: [Parameter]) -> Int {
            parameters.reduce(0) { $0 + sizes($1).held }
        }
        func largest(_ parameters: [Parameter]) -> Int {
            parameters.map { sizes($0).loading }.max() ?? 0
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
        let time = bytes(transformer.timeParameters) + largest(transformer.timeParameters)
        self.time = place.card == nil ? max(time, largest(transformer.parameters)) : time
        let texts = transformer.textParameterGroups
        textLoading = texts.map(largest).max() ?? 0
        text = texts.map { bytes($0) + largest($0) }.max() ?? 0
    }
}

extension Parameter {
    /// Bytes that the parameter takes of a device's memory, scales of 8-bit rows included.
    fileprivate func bytes(as type: DataType) -> Int {
        let numbers = MemoryArena.size(of: shape.elementCount * type.size)
        guard type.isNarrow else { return numbers }
        return numbers + MemoryArena.size(of: shape[0] * DataType.float32.size)
    }

    /// Bytes as published, in bfloat16, before they are converted.
    fileprivate var storedBytes: Int {
        MemoryArena.size(of: shape.elementCount * DataType.bfloat16.size)
    }
}
