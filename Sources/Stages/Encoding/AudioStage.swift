import Artifacts
import AudioEncoder
import Checkpoints
import Compute
import Layers
import Tensors

/// The stage from a voice to the audio condition, in memory that does not grow with the voice.
public struct AudioStage {
    private let encoder: SpeechEncoder
    private let weights: Provenance.Input
    private let listener: StageListener

    /// How the features lie in time.
    public struct Timing: Sendable {
        /// Video frames per second.
        public var framesPerSecond: Double
        /// Video frames of a clip.
        public var clipFrames: Int

        /// A timing.
        public init(framesPerSecond: Double, clipFrames: Int) {
            self.framesPerSecond = framesPerSecond
            self.clipFrames = clipFrames
        }
    }

    /// Binds the encoder to its checkpoint; loads no weights yet.
    public init(
        weights path: String, strict: Bool, listener: @escaping StageListener
    ) throws {
        let folder = try WeightFolder(path: path)
        let configuration = try Wav2Vec2Configuration(
            ConfigurationFile(path: folder.audioEncoderConfigurationPath()))
        let checkpoint = try folder.audioEncoder()
        let binder = WeightBinder(checkpoint)
        encoder = SpeechEncoder(binder, configuration: configuration)
        for warning in try binder.finish(strict: strict) { try listener(.warning(warning)) }
        weights = .weights(checkpoint.path, digest: checkpoint.digest)
        self.listener = listener
    }

    /// Encodes a voice, mono at the model's rate, and writes the condition. `voice` says for provenance what it was.
    ///
    /// Throws `StageError` before anything is computed if `output` is something else and not to be replaced (`overwrite`),
    /// `RecordingTooShort`, or what the voice, the device and the disk throw.
    public func write(
        _ speech: SpeechSamples, voice: Provenance.Input, timing: Timing, to output: String,
        overwrite: Bool = false, as dataType: DataType, on device: any Device, memoryLimit: Int?,
        toolVersion: String
    ) throws {
        let schedule = try encoder.schedule(
            samples: speech.count, fps: timing.framesPerSecond, clipFrames: timing.clipFrames)
        let window =
            try memoryLimit.map {
                try encoder.window(
                    memoryLimit: $0, fps: timing.framesPerSecond,
                    activationType: device.activationType)
            } ?? encoder.standardWindow
        let provenance = Provenance(
            tool: "encode-audio", toolVersion: toolVersion,
            options: [
                "fps": String(timing.framesPerSecond),
                "clip-frames": String(timing.clipFrames),
                "window": "\(window.length)+\(window.context)",
                "output-type": FloatName.of(dataType),
                "precision": FloatName.of(device.activationType),
            ], inputs: [voice, weights])
        try OutputFile(path: output, overwrite: overwrite).check(.audioCondition, provenance)
        try loadWeights(on: device, listener) { try encoder.load(on: device, monitor: $0) }
        let states = encoder.configuration.states
        let width = encoder.configuration.hiddenSize
        let writer = try AudioCondition.create(
            path: output, frames: schedule.frames, layers: states, width: width, type: dataType,
            timing: .init(
                framesPerSecond: timing.framesPerSecond, clipFrames: timing.clipFrames,
                speechFrames: schedule.speechFrames),
            provenance: provenance)
        try encoder.encode(
            speech, schedule: schedule, window: window, on: device,
            monitor: {
                try listener(.progress("\($0.activity) \($0.completed) of \($0.total)"))
            },
            into: { frames, rows in
                try writer.write(
                    Array(rows), to: "features", at: frames.lowerBound * states * width)
            })
        try writer.commit()
    }
}
