import Tensors

/// The encoded voice: `features`, one row per video frame, zero-padded to whole clips.
public struct AudioCondition: Sendable {
    /// The features: [frames, layers, audio_dim], float32 or bfloat16.
    public let features: TensorView
    /// How frames and clips lie in time, as far as the file says.
    public let timing: Timing
    /// How the file was made, as far as it says.
    public let provenance: Provenance?

    /// How the rows of features lie in time.
    public struct Timing: Hashable, Sendable {
        /// Video frames per second.
        public var framesPerSecond: Double?
        /// Video frames per clip.
        public var clipFrames: Int?
        /// Frames that the speech lasts, its last one begun: ceil(seconds x frames per second).
        public var speechFrames: Int?

        /// A timing of which something is known.
        public init(framesPerSecond: Double?, clipFrames: Int?, speechFrames: Int?) {
            self.framesPerSecond = framesPerSecond
            self.clipFrames = clipFrames
            self.speechFrames = speechFrames
        }
    }

    /// Opens a file; with `layers` and `width`, only if each frame has that many by that many values.
    ///
    /// Throws `SystemError` or `TensorFileError`.
    public init(path: String, layers: Int? = nil, width: Int? = nil) throws {
        let file = try TensorFile(path: path)
        try ArtifactHeader.check(file, is: .audioCondition)
        features = try file.tensor(
            "features",
            axes: [Axis("frames"), Axis("layers", layers), Axis("values per layer", width)],
            types: ArtifactKind.conditionTypes)
        timing = Timing(
            framesPerSecond: try file.number("fps"), clipFrames: try file.number("clip_frames"),
            speechFrames: try file.number("speech_frames"))
        provenance = Provenance(metadata: file.metadata)
        try Self.check(timing, frames: features.shape[0], path: path)
    }

    private static func check(
        _ timing: Timing, frames: Int, path: String
    ) throws(TensorFileError) {
        if let clip = timing.clipFrames, !frames.isMultiple(of: clip) {
            throw TensorFileError(
                path: path, tensor: "features",
                reason: "has \(frames) frames, which are no whole clips of \(clip)")
        }
        if let speech = timing.speechFrames, speech > frames {
            throw TensorFileError(
                path: path, tensor: "features",
                reason: "has \(frames) frames, the metadata tells of \(speech) with speech")
        }
    }

    /// Begins a file; the caller fills `features` and commits. Throws `SystemError`.
    ///
    /// Traps unless `frames` are whole clips that hold the speech.
    public static func create(
        path: String, frames: Int, layers: Int, width: Int, type: DataType = .float32,
        timing: Timing, provenance: Provenance
    ) throws -> TensorFileWriter {
        precondition(ArtifactKind.conditionTypes.contains(type))
        precondition(timing.clipFrames.map { frames.isMultiple(of: $0) } ?? true)
        precondition(timing.speechFrames.map { $0 <= frames } ?? true)
        var extra: [String: String] = [:]
        extra["fps"] = timing.framesPerSecond.map(shortest)
        extra["clip_frames"] = timing.clipFrames.map(String.init)
        extra["speech_frames"] = timing.speechFrames.map(String.init)
        return try TensorFileWriter(
            path: path,
            tensors: [
                TensorDescriptor(
                    name: "features", dataType: type, shape: [frames, layers, width])
            ],
            metadata: try ArtifactHeader.metadata(
                of: .audioCondition, provenance: provenance, adding: extra))
    }

    /// A number without a fraction of zero.
    private static func shortest(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? String(number)
    }
}

extension AudioCondition.Timing {
    /// Blocks that hold the speech, the last one begun; nil if its length is unknown.
    public func blocks(ofFrames framesPerBlock: Int) -> Int? {
        speechFrames.map { ($0 + framesPerBlock - 1) / framesPerBlock }
    }
}
