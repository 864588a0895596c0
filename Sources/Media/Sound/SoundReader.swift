import CLibAV

/// The sound of any file that libav reads, a stretch at a time: memory does not grow with length.
///
/// What the encoder of the file added in front (its delay) is dropped as far as the container tells.
public final class SoundReader {
    /// The path as it was given.
    public let path: String
    /// Samples per second of the source.
    public let sourceRate: Int
    /// Channels of the source.
    public let sourceChannels: Int
    /// Samples per second of what `next` gives.
    public let rate: Int
    /// Samples decoded so far, at the source's rate; after the end, the exact length of the sound.
    public private(set) var sourceCount = 0
    /// When the first sample is due, in seconds, if the file says so.
    package private(set) var startTime: Double?

    private let decoder: StreamDecoder
    private let channels: Samples.Channels
    private let frame = Frame()
    private var resampler: RateConverter?
    private var isAtEnd = false
    /// The last frame decoded, held back until it is known whether it is the file's last.
    private var held: (samples: Samples, duration: Int)?

    /// Opens a file's sound; `rate` nil keeps its own. Throws `MediaError` if it cannot be read or has
    /// no sound.
    public init(
        path: String, rate: Int? = nil, channels: Samples.Channels = .mean
    ) throws(MediaError) {
        self.path = path
        self.channels = channels
        decoder = try StreamDecoder(
            path: path, type: AVMEDIA_TYPE_AUDIO, missing: "the file has no sound")
        let parameters = decoder.stream.pointee.codecpar.pointee
        sourceRate = Int(parameters.sample_rate)
        sourceChannels = Int(parameters.ch_layout.nb_channels)
        self.rate = rate ?? sourceRate
        guard sourceRate > 0, sourceChannels > 0 else {
            throw MediaError("read", path, "its sound has no sample rate or no channels")
        }
    }

    /// Decodes the next stretch, at least one sample; nil at the end.
    ///
    /// Throws `MediaError`: also if the whole file held no sample, or changed its rate or channels.
    public func next() throws(MediaError) -> Samples? {
        while !isAtEnd {
            let samples = try resampled(decoder.next(into: frame) ? step() : end())
            if samples.count > 0 { return samples }
        }
        return nil
    }

    /// The frame before the one just decoded, at the source's rate.
    private func step() throws(MediaError) -> Samples {
        let previous = held?.samples
        held = try (decoded(), duration)
        sourceCount += previous?.count ?? 0
        return previous ?? Samples(channels: 1, values: [])
    }

    /// The last frame, without what its encoder added behind.
    private func end() throws(MediaError) -> Samples {
        isAtEnd = true
        guard let (samples, duration) = held, duration > 0 else {
            throw MediaError("read", path, "its sound is empty")
        }
        sourceCount += min(duration, samples.count)
        return samples.split(at: duration).head
    }

    /// Samples that the container gives the frame just decoded, where it counts in samples; the
    /// encoder's padding at the end of an MP4 shows only there.
    private var duration: Int {
        let unit = decoder.stream.pointee.time_base
        let duration = Int(frame.pointer.pointee.pkt_duration)
        let isCounted = unit.num == 1 && Int(unit.den) == sourceRate && duration > 0
        return isCounted ? min(duration, frame.sampleCount) : frame.sampleCount
    }

    /// The frame just decoded.
    private func decoded() throws(MediaError) -> Samples {
        guard Int(frame.pointer.pointee.sample_rate) == sourceRate,
            frame.channelCount == sourceChannels
        else {
            throw MediaError("read", path, "its sound changes its rate or channels on the way")
        }
        if held == nil { startTime = decoder.seconds(of: frame.pointer.pointee.pts) }
        return try Samples(frame, as: channels, path: path)
    }

    private func resampled(_ samples: Samples) throws(MediaError) -> Samples {
        guard rate != sourceRate, samples.count > 0 else { return samples }
        let converter: RateConverter
        if let resampler {
            converter = resampler
        } else {
            converter = try RateConverter(
                from: sourceRate, to: rate, channels: samples.channels, path: path)
            resampler = converter
        }
        let converted = try converter.convert(samples)
        return isAtEnd ? try converted.followed(by: converter.finish()) : converted
    }
}
