import Denoiser
import Tensors

/// How exact numbers are, as `--precision` names it.
public enum PlanPrecision: String, CaseIterable, Codable, Sendable {
    /// Weights and activations in float32.
    case float32 = "f32"
    /// Weights and activations in bfloat16.
    case bfloat16 = "bf16"
    /// Large matrices in 8-bit floats, the rest in bfloat16.
    case float8 = "fp8"
    /// Large matrices in 8-bit integers, the rest in bfloat16.
    case int8 = "int8"

    /// The type of activations.
    public var activationType: DataType { self == .float32 ? .float32 : .bfloat16 }

    /// The type of large matrices.
    public var matrixType: DataType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float8: .float8E4M3
        case .int8: .int8
        }
    }
}

/// How exact windows and attention over them are, as `--attention` names it.
public enum PlanAttention: String, CaseIterable, Codable, Sendable {
    /// As activations are.
    case activations = "bf16"
    /// In 8-bit floats.
    case float8 = "fp8"

    /// The type of windows, nil for that of activations.
    public var windowType: DataType? { self == .float8 ? .float8E4M3 : nil }
}

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
    public var precision: PlanPrecision
    /// The type of windows.
    public var attention: PlanAttention

    /// A request for one branch and one actor.
    public init(
        model: ModelSizes, grid: LatentGrid, steps: Int, precision: PlanPrecision,
        attention: PlanAttention
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
