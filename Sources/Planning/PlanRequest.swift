import Compute
import Denoiser
import Tensors

/// What one process is to denoise.
public struct PlanRequest: Hashable, Sendable {
    /// The transformer.
    public var model: ModelSizes
    /// The tokens that follow from the picture's size.
    public var grid: LatentGrid
    /// Steps of the schedule that this process runs.
    public var steps: Int
    /// Branches of the guidance: 1, or 2 with a negative text.
    public var branches = 1
    /// Voices, each of one actor.
    public var actors = 1
    /// The types of weights and activations.
    public var precision: Precision
    /// The type of windows.
    public var attention: AttentionType

    /// A request for one branch and one actor.
    public init(
        model: ModelSizes, grid: LatentGrid, steps: Int, precision: Precision,
        attention: AttentionType
    ) {
        precondition(steps > 0)
        self.model = model
        self.grid = grid
        self.steps = steps
        self.precision = precision
        self.attention = attention
    }

    /// The type of windows.
    var windowType: DataType { attention.windowType ?? precision.activationType }
}
