import Compute
import Denoiser
import Tensors

/// What a user can choose about denoising, as far as it shapes the result.
public struct DenoisingOptions: Sendable {
    /// The types in which the device keeps activations and weights.
    public var precision = Precision.float32
    /// The type of attention and its windows: float8_e4m3, or nil for that of activations.
    public var attention: DataType?
    /// Steps of the schedule.
    public var steps = 4
    /// How latents go from step to step.
    public var solver = FlowSchedule.Solver.euler
    /// The seed of the noise.
    public var seed: UInt64 = 420
    /// Multiprocessors of the card on which PyTorch would make the same noise.
    public var noiseMultiprocessors = 132
    /// Whole clips to make; as long as the speech if nil.
    public var clips: Int?
    /// The type of the final latents on disk.
    public var outputType = DataType.float32
    /// What the LoRA is multiplied with.
    public var loraScale: Float = 0.5
    /// velocity = negative + scale * (positive - negative); needs a negative text.
    public var guidance: Float = 4.5
    /// The steps to run, counted from 0; all if nil.
    public var stepRange: Range<Int>?

    /// The defaults.
    public init() {}

    /// The steps to run.
    var range: Range<Int> { stepRange ?? 0..<steps }
    /// Whether the result goes to the decoder.
    var isLast: Bool { range.upperBound == steps }
}

/// The files that denoising reads.
public struct DenoisingPaths: Sendable {
    /// The folder of weights.
    public var weights: String
    /// A LoRA to merge, a file or a folder.
    public var lora: String?
    /// The text condition.
    public var text: String
    /// The text condition to guide away from.
    public var negativeText: String?
    /// One audio condition for each actor.
    public var audio: [String]
    /// The reference.
    public var reference: String
    /// Random numbers to use in place of the seed's.
    public var replay: String?
    /// The latents behind the step before the range; nil for the first step.
    public var input: String?
    /// The final latents, for the reference of the second clip; nil if this run makes them.
    public var refreshFrom: String?
    /// The folder of latents to write.
    public var output: String

    /// The files of a run with one actor.
    public init(
        weights: String, text: String, audio: [String], reference: String, output: String
    ) {
        self.weights = weights
        self.text = text
        self.audio = audio
        self.reference = reference
        self.output = output
    }
}

/// Options or files of a stage that do not go together, in one line.
public struct StageError: Error, CustomStringConvertible {
    public let description: String

    /// A problem in these words.
    public init(_ description: String) {
        self.description = description
    }
}
