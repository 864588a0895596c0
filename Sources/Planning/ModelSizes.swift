import Checkpoints
import Denoiser
import Layers
import Tensors

/// The sizes of a transformer, from which one without weights can be made.
public struct ModelSizes: Hashable, Sendable {
    /// The sizes that its configuration tells.
    public let configuration: DenoiserConfiguration
    /// Width of the text context's rows.
    public let textDim: Int
    /// Hidden states of the audio encoder that are mixed.
    public let audioStates: Int
    /// The type of 8 bits in which large matrices are stored with scales; nil for none, as published.
    public var preparedType: DataType?

    /// The sizes of a transformer that is bound to its weights, loaded or not. Throws what reading its weights throws.
    public init(of transformer: CausalTransformer) throws {
        preparedType = try transformer.parameters.first { $0.type == .matrix }?.storedNarrowType()
        configuration = transformer.configuration
        textDim = transformer.textDim
        audioStates = transformer.audioLayerCount
    }

    /// Sizes that were found elsewhere.
    public init(configuration: DenoiserConfiguration, textDim: Int, audioStates: Int) {
        self.configuration = configuration
        self.textDim = textDim
        self.audioStates = audioStates
    }

    /// Those of the published model.
    public static let published = ModelSizes(
        configuration: .published, textDim: DenoiserConfiguration.publishedTextDim,
        audioStates: DenoiserConfiguration.publishedAudioStates)

    /// A transformer of these sizes whose weights are zeros that take no memory.
    package func transformer() throws -> CausalTransformer {
        let shapes = configuration.sizingShapes(textDim: textDim, audioStates: audioStates)
        let claims = Claims(shapes)
        _ = try CausalTransformer(WeightScope(claims), configuration: configuration)
        let weights = try DeclaredCheckpoint(path: claims.path, tensors: claims.tensors)
        return try CausalTransformer(
            WeightScope(WeightBinder(weights)), configuration: configuration)
    }
}

/// Takes down what a model asks for.
private final class Claims: WeightSource {
    let path = "the plan"
    private(set) var tensors: [TensorDescriptor] = []
    private let known: [String: Shape]
    private var names: Set<String> = []

    init(_ known: [String: Shape]) { self.known = known }

    func shape(of path: String) -> Shape? { known[path] }

    func claim(_ path: String, shape: Shape) {
        guard names.insert(path).inserted else { return }
        tensors.append(TensorDescriptor(name: path, dataType: .bfloat16, shape: shape))
    }

    func view(of path: String) throws -> TensorView {
        preconditionFailure("'\(path)' is only claimed")
    }
}
