import Compute
import Denoiser
import Layers
import Tensors

/// A stage at the size of the published models, with weights made up, ready to be timed.
public protocol StageBenchmark: AnyObject {
    /// The weights.
    var weights: SyntheticWeights { get }
    /// Brings all weights to the device.
    func load(on device: any Device) throws
    /// Bytes that loading brings there, as published.
    var loadedBytes: Int { get }
    /// Bytes that went over the link so far for what is not kept on the device.
    var traffic: LinkTraffic { get }
    /// Brings the stage to where it is in the middle of its work, and gives what is to be timed, the
    /// most telling first.
    func prepare(on device: any Device) throws -> [TimedWork]
}

extension StageBenchmark {
    /// None, where everything is kept on the device.
    public var traffic: LinkTraffic { LinkTraffic() }

    /// All that was read so far.
    public var loadedBytes: Int { weights.bytesRead }
}

/// Work of a stage that is timed as a whole.
public struct TimedWork {
    /// What it is, as in "step".
    public let name: String
    /// Does it once; the device may still be at it when the call returns.
    public let run: () throws -> Void

    /// Work of this name.
    public init(_ name: String, run: @escaping () throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// The stages that can be timed.
public enum BenchmarkStage: String, CaseIterable, Sendable {
    /// A prompt of 512 tokens through the text encoder.
    case text
    /// A recording through the audio encoder.
    case audio
    /// A portrait to reference and motion.
    case encode
    /// One step of the denoiser over a full window, and one block with all its steps.
    case denoise
    /// A block in the middle of a stream of latents to frames.
    case decode
}

/// What a benchmark is about.
public struct BenchmarkSubject: Sendable {
    /// The stage.
    public var stage: BenchmarkStage
    /// The models' sizes.
    public var sizes: PublishedSizes
    /// Height of the video in pixels.
    public var height: Int
    /// Width of the video in pixels.
    public var width: Int
    /// Steps of the denoiser's schedule, each with a window of its own.
    public var steps: Int
    /// Length of the recording.
    public var seconds: Double
    /// The type of the denoiser's windows and attention; nil for that of activations.
    public var windowType: DataType?
    /// What of the denoiser stays on the device.
    public var residency = DenoiserResidency.resident

    /// A stage at these sizes.
    public init(
        stage: BenchmarkStage, sizes: PublishedSizes, height: Int, width: Int, steps: Int,
        seconds: Double, windowType: DataType? = nil
    ) {
        self.stage = stage
        self.sizes = sizes
        self.height = height
        self.width = width
        self.steps = steps
        self.seconds = seconds
        self.windowType = windowType
    }

    /// The benchmark; its weights are claimed, not loaded. Throws if the sizes do not make a model.
    public func benchmark() throws -> any StageBenchmark {
        switch stage {
        case .text: try TextBenchmark(self)
        case .audio: SpeechBenchmark(self)
        case .encode: try EncodingBenchmark(self)
        case .denoise: try DenoisingBenchmark(self)
        case .decode: try DecodingBenchmark(self)
        }
    }
}
