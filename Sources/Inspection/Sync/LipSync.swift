import Media

/// How well the mouth of a drawn face follows a sound, and whether the face stays what it was.
///
/// Made for the faces of `pipelines/mini-avatar`, in whose mouths a colour is seen that says how open they
/// are. Of other films, only sharpness and colours mean something.
public struct LipSync: Sendable {
    /// What is measured over a stretch of the film.
    public struct Measures: Sendable, Equatable, Encodable {
        /// Pearson's coefficient of openness and loudness, -1...1.
        public let correlation: Double
        /// The largest coefficient with the mouth shifted.
        public let bestCorrelation: Double
        /// Frames by which the mouth is late then; negative if it is early.
        public let lag: Int
        /// Mean of the mouth's open area, in pixels.
        public let openness: Double
        /// Mean absolute difference of neighbouring pixels, to the right plus down, in grey levels.
        public let sharpness: Double
        /// Mean distance of the colours in 16 x 16 parts of the picture from those in the film's first
        /// second, in grey levels.
        public let colourChange: Double
    }

    /// Pictures of the film that the sound goes with.
    public let frames: Int
    /// Pictures a second.
    public let framesPerSecond: Double
    /// Of all of them.
    public let whole: Measures
    /// Of the first minute, or half of a film shorter than two.
    public let first: Measures
    /// Of the last minute, or the other half.
    public let last: Measures

    /// Longest stretch that is compared with another.
    private static let stretchSeconds = 60.0
    /// Frames by which a mouth is looked for too early and too late.
    private static let reach = 6

    /// Compares a film, which is read once, with a recording. `progress` is called with each frame's number
    /// and may throw to stop.
    ///
    /// Throws `InspectionError` if they overlap by less than a second, `MediaError`, `ArtifactError`, what
    /// opening files throws.
    public init(
        of subject: Subject, with voice: String, progress: (Int) throws -> Void = { _ in }
    ) throws {
        let film = try Film(subject)
        let loudness = try LoudnessTrack(path: voice, framesPerSecond: film.framesPerSecond)
        let heard = loudness.values.dropFirst(film.firstFrame)
        let second = Int(film.framesPerSecond.rounded(.up))
        var pictures = FilmMeasures(framesPerSecond: second)
        try film.forEachPicture { picture in
            guard pictures.count < heard.count else { return }
            pictures.append(PictureMeasures(picture))
            try progress(pictures.count)
        }
        guard pictures.count > second else {
            throw InspectionError(
                subject.path, "shows \(pictures.count) frames of the sound, too few to compare")
        }
        frames = pictures.count
        framesPerSecond = film.framesPerSecond
        let stretch = min(
            Int(Self.stretchSeconds * film.framesPerSecond), pictures.count / 2)
        let place = MouthPlace(in: pictures.openness)
        let opened = pictures.openness.map(place.sum)
        let loud = Array(heard)
        func measures(_ range: Range<Int>) -> Measures {
            let sync = Correlation(of: opened[range], with: loud[range], reach: Self.reach)
            return Measures(
                correlation: sync.unshifted, bestCorrelation: sync.best, lag: sync.lag,
                openness: opened[range].reduce(0, +) / Double(range.count),
                sharpness: pictures.sharpness[range].reduce(0, +) / Double(range.count),
                colourChange: pictures.colourChange(in: range))
        }
        whole = measures(0..<frames)
        first = measures(0..<stretch)
        last = measures(frames - stretch..<frames)
    }
}
