/// Which steps of the audio model each video frame gets.
///
/// The released code first resamples the model's steps (50 a second) linearly to 30 a second, then takes
/// for each frame the sample nearest to its time. Both are table look-ups, made here exactly as there.
public struct FrameSchedule: Hashable, Sendable {
    /// Video frames a second.
    public let fps: Double
    /// Frames of a clip; `frames` is a multiple.
    public let clipFrames: Int
    /// Samples of the recording.
    public let samples: Int
    /// Steps that the model makes of them.
    public let steps: Int
    /// Frames that the speech lasts: ceil(duration * fps).
    public let speechFrames: Int
    /// Frames of the features: whole clips, at least as many as the speech has frames.
    public let frames: Int

    /// Samples after the linear resampling.
    let resampled: Int
    /// Frames that the released code schedules; at most one clip fewer than `frames`.
    let scheduledFrames: Int

    /// Samples a second after the linear resampling.
    static let resampledRate = 30.0
    /// The fewest steps from which two resampled ones can be made.
    static let fewestSteps = 2

    /// The schedule of a recording; traps unless there are at least two steps, and positive rates.
    init(
        samples: Int, steps: Int, stepRate: Double, fps: Double, clipFrames: Int,
        speechFrames: Int? = nil
    ) {
        precondition(steps >= Self.fewestSteps && fps > 0 && clipFrames > 0)
        self.fps = fps
        self.clipFrames = clipFrames
        self.samples = samples
        self.steps = steps
        resampled = Int(Double(steps) / stepRate * Self.resampledRate)
        let clips = Int(Double(resampled) / (Double(clipFrames) * (Self.resampledRate / fps))) + 1
        scheduledFrames = clips * clipFrames
        let sampleRate = Double(Wav2Vec2Configuration.sampleRate)
        let speechFrames =
            speechFrames ?? Int((Double(samples) * fps / sampleRate).rounded(.up))
        self.speechFrames = speechFrames
        // The model makes no step of the last few milliseconds. Where they alone reach into another
        // clip, that clip is silent here and missing in the released code.
        let speechClips = (speechFrames + clipFrames - 1) / clipFrames
        frames = max(clips, speechClips) * clipFrames
    }

    /// The resampled index of a frame, exactly as in the released code; nil past the end of the speech.
    public func resampledIndex(ofFrame frame: Int) -> Int? {
        guard frame < scheduledFrames else { return nil }
        let count = Double(scheduledFrames)
        let padded = Int((count / fps * Self.resampledRate).rounded(.up))
        let time = Double(frame) * (count / fps / count)
        let index = Int((time * Self.resampledRate).rounded(.toNearestOrEven))
        let clipped = min(max(index, 0), padded - 1)
        return clipped < resampled ? clipped : nil
    }

    /// A place between two steps: lower + fraction * (upper - lower).
    public struct Position: Hashable, Sendable {
        /// The step at or before the place.
        public let lower: Int
        /// The step after it, or the same at the end.
        public let upper: Int
        /// How far it is from the lower to the upper one, in 0..<1.
        public let fraction: Float
    }

    /// Where a frame's features lie among the steps; nil past the end, where features are zero. Later
    /// frames lie at the same place or later.
    public func position(ofFrame frame: Int) -> Position? {
        guard let index = resampledIndex(ofFrame: frame) else { return nil }
        // First and last samples fall on each other; single precision as in the released code.
        let scale = resampled > 1 ? Float(steps - 1) / Float(resampled - 1) : 0
        let place = scale * Float(index)
        let lower = min(Int(place), steps - 1)
        let fraction = min(max(place - Float(lower), 0), 1)
        return Position(lower: lower, upper: min(lower + 1, steps - 1), fraction: fraction)
    }
}
