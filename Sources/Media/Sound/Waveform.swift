/// A whole recording in memory: one channel, the mean of the source's.
public struct Waveform: Sendable {
    /// Samples per second of what the audio encoder takes.
    public static let speechRate = 16_000

    /// [samples], in [-1, 1].
    public let samples: [Float]
    /// Samples per second.
    public let rate: Int
    /// Length of the recording at its own rate.
    public let sourceCount: Int
    /// The recording's own rate.
    public let sourceRate: Int

    /// Reads a file's sound, resampled to `rate` if it has another.
    ///
    /// `progress` is called with the seconds read so far and may throw to stop. Throws `MediaError`,
    /// or what `progress` throws. For hours of sound in bounded memory, see `SoundReader`.
    public init(
        path: String, rate: Int = speechRate, progress: (Double) throws -> Void = { _ in }
    ) throws {
        let reader = try SoundReader(path: path, rate: rate)
        var samples: [Float] = []
        while let stretch = try reader.next() {
            samples += stretch.values
            try progress(Double(samples.count) / Double(rate))
        }
        self.samples = samples
        self.rate = rate
        sourceCount = reader.sourceCount
        sourceRate = reader.sourceRate
    }

    /// Video frames that the recording lasts, the last one perhaps in part.
    public func frameCount(at frameRate: FrameRate) -> Int {
        frameRate.frames(covering: sourceCount, rate: sourceRate)
    }
}
