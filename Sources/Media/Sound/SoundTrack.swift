/// The sound of a film: one voice as it is, or several heard together, in bounded memory.
///
/// Several voices are summed and divided by their number, and end with the shortest, as ffmpeg's
/// `amix=duration=shortest` does. Mono stays mono, stereo stereo; of more channels the mean is heard.
public final class SoundTrack {
    /// The voices' paths.
    public let paths: [String]
    /// Samples per second: the source's 44,100 or 48,000, if all voices have the same, else 48,000.
    public let rate: Int
    /// One, or two if any voice has two.
    public let channels: Int
    /// Samples given so far.
    public private(set) var count = 0

    private let voices: [Voice]

    /// What the sound is resampled to when it must be.
    private static let commonRate = 48_000

    /// Opens the voices. Throws `MediaError` if one cannot be read. Traps if there is none.
    public init(paths: [String]) throws(MediaError) {
        precondition(!paths.isEmpty)
        self.paths = paths
        var readers = try Self.open(paths, rate: nil)
        let first = readers[0].sourceRate
        let isKept = [44_100, Self.commonRate].contains(first)
        let isCommon = isKept && readers.allSatisfy { $0.sourceRate == first }
        let rate = isCommon ? first : Self.commonRate
        if !isCommon {
            readers = try Self.open(paths, rate: rate)
        }
        self.rate = rate
        channels = readers.contains { $0.sourceChannels == 2 } ? 2 : 1
        voices = readers.map(Voice.init)
    }

    private static func open(_ paths: [String], rate: Int?) throws(MediaError) -> [SoundReader] {
        var readers: [SoundReader] = []
        for path in paths {
            readers.append(try SoundReader(path: path, rate: rate, channels: .atMostTwo))
        }
        return readers
    }

    /// The next samples, `limit` or as many as are left before the first voice ends. Throws
    /// `MediaError`.
    public func next(_ limit: Int) throws(MediaError) -> Samples {
        let available = try self.available(limit)
        var planes = [[Float]](repeating: [Float](repeating: 0, count: available), count: channels)
        let scale = 1 / Float(voices.count)
        for voice in voices {
            let samples = voice.take(available)
            for channel in 0..<channels {
                let plane = samples[min(channel, samples.channels - 1)]
                for (index, value) in plane.enumerated() { planes[channel][index] += value * scale }
            }
        }
        count += available
        return Samples(planes: planes)
    }

    /// How many samples, at most `limit`, every voice still has. Throws `MediaError`.
    public func available(_ limit: Int) throws(MediaError) -> Int {
        var available = limit
        for voice in voices {
            available = min(available, try voice.fill(limit))
        }
        return available
    }
}

/// A reader and what was read ahead of it.
private final class Voice {
    private let reader: SoundReader
    private var ahead: Samples?

    init(_ reader: SoundReader) { self.reader = reader }

    /// Reads until `count` samples are ahead, or all that are left; returns how many are.
    func fill(_ count: Int) throws(MediaError) -> Int {
        while (ahead?.count ?? 0) < count, let samples = try reader.next() {
            ahead = ahead.map { $0.followed(by: samples) } ?? samples
        }
        return ahead?.count ?? 0
    }

    /// Takes `count` samples, which must be ahead.
    func take(_ count: Int) -> Samples {
        guard let samples = ahead else {
            precondition(count == 0)
            return Samples(channels: 1, values: [])
        }
        let (head, tail) = samples.split(at: count)
        ahead = tail
        return head
    }
}
