import CLibAV

extension Samples {
    /// The channels of decoded sound as a voice is heard from it.
    public enum Channels: Sendable {
        /// One channel, the mean of all: what the audio encoder hears.
        case mean
        /// One or two as they are; the mean of more.
        case atMostTwo
    }

    /// The samples of a decoded frame as floats: integers / 2^(bits-1), as the source decodes them.
    /// Throws `MediaError` for a sample format that no decoder of libav 5 gives.
    init(_ frame: Frame, as channels: Channels, path: String) throws(MediaError) {
        let planes = try SamplePlanes(frame, path: path)
        let count = frame.sampleCount
        if channels == .atMostTwo, planes.channels <= 2 {
            var values: [Float] = []
            values.reserveCapacity(planes.channels * count)
            for channel in 0..<planes.channels { planes.add(channel, to: &values, appending: true) }
            self.init(channels: planes.channels, values: values)
            return
        }
        var sum: [Float] = []
        sum.reserveCapacity(count)
        planes.add(0, to: &sum, appending: true)
        for channel in 1..<max(1, planes.channels) {
            planes.add(channel, to: &sum, appending: false)
        }
        if planes.channels > 1 {
            let divisor = Float(planes.channels)
            for index in sum.indices { sum[index] /= divisor }
        }
        self.init(channels: 1, values: sum)
    }
}

/// A decoded frame's samples, whatever their type and order.
private struct SamplePlanes {
    let channels: Int
    private let frame: Frame
    private let isPlanar: Bool
    private let format: AVSampleFormat

    init(_ frame: Frame, path: String) throws(MediaError) {
        self.frame = frame
        channels = frame.channelCount
        isPlanar = av_sample_fmt_is_planar(frame.sampleFormat) == 1
        format = av_get_packed_sample_fmt(frame.sampleFormat)
        let known = [
            AV_SAMPLE_FMT_U8, AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S32, AV_SAMPLE_FMT_S64,
            AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_DBL,
        ]
        guard channels > 0, known.contains(format) else {
            throw MediaError("read", path, "its sound has an unknown sample format")
        }
    }

    /// Appends a channel to `values`, or adds it to the last samples there.
    func add(_ channel: Int, to values: inout [Float], appending: Bool) {
        switch format {
        case AV_SAMPLE_FMT_U8:
            add(channel, to: &values, appending) { (value: UInt8) in (Float(value) - 128) / 128 }
        case AV_SAMPLE_FMT_S16:
            add(channel, to: &values, appending) { (value: Int16) in Float(value) / 0x1p15 }
        case AV_SAMPLE_FMT_S32:
            add(channel, to: &values, appending) { (value: Int32) in Float(value) / 0x1p31 }
        case AV_SAMPLE_FMT_S64:
            add(channel, to: &values, appending) { (value: Int64) in Float(value) / 0x1p63 }
        case AV_SAMPLE_FMT_DBL:
            add(channel, to: &values, appending) { (value: Double) in Float(value) }
        default:
            add(channel, to: &values, appending) { (value: Float) in value }
        }
    }

    private func add<Sample: BitwiseCopyable>(
        _ channel: Int, to values: inout [Float], _ appending: Bool,
        _ convert: (Sample) -> Float
    ) {
        let plane = UnsafeRawPointer(frame.plane(isPlanar ? channel : 0))
            .assumingMemoryBound(to: Sample.self)
        let step = isPlanar ? 1 : channels
        let offset = isPlanar ? 0 : channel
        let count = frame.sampleCount
        let start = values.count - count
        for index in 0..<count {
            let value = convert(plane[index * step + offset])
            if appending { values.append(value) } else { values[start + index] += value }
        }
    }
}
