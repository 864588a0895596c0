import CLibAV

/// Samples from one rate to another by soxr's "HQ" recipe, inside libswresample.
///
/// Linear phase; pass-band to 0.914 of the lower rate's Nyquist frequency, stop-band from it on:
/// what librosa's `soxr_hq` is. n samples become exactly ceil(n x output rate / input rate).
/// Source of the recipe: `soxr_quality_spec` in
/// https://github.com/chirlu/soxr/blob/945b592b70470e29f917f4de89b4281fbbd540c0/src/soxr.c
final class RateConverter {
    private let inputRate: Int
    private let outputRate: Int
    private let channels: Int
    private let path: String
    private var context: OpaquePointer?
    private var consumed = 0
    private var produced = 0

    /// Bits of precision that name soxr's HQ.
    private static let precision = "20"
    /// The end of HQ's pass-band, for which libswresample would put 0.91. Of values tried in steps of
    /// 0.00005 the one whose output is nearest to soxr's own HQ: 4e-7 away, 0.9137 is 2e-6.
    private static let passband = "0.91375"

    /// A converter of one or two channels; `path` is what is read, for messages. Throws `MediaError`.
    init(from inputRate: Int, to outputRate: Int, channels: Int, path: String) throws(MediaError) {
        _ = MediaLog.silenceByDefault
        self.inputRate = inputRate
        self.outputRate = outputRate
        self.channels = channels
        self.path = path
        var inputLayout = AVChannelLayout()
        av_channel_layout_default(&inputLayout, Int32(channels))
        var outputLayout = inputLayout
        try LibAV.check(
            swr_alloc_set_opts2(
                &context, &outputLayout, AV_SAMPLE_FMT_FLTP, Int32(outputRate),
                &inputLayout, AV_SAMPLE_FMT_FLTP, Int32(inputRate), 0, nil),
            "resample", path)
        for (option, value) in [
            ("resampler", "soxr"), ("precision", Self.precision), ("cutoff", Self.passband),
        ] {
            try LibAV.check(
                av_opt_set(UnsafeMutableRawPointer(context), option, value, 0), "resample", path)
        }
        guard swr_init(context) >= 0 else {
            throw MediaError(
                "resample", path, "libswresample was built without soxr, or refuses the rate")
        }
    }

    deinit { swr_free(&context) }

    /// Converts the next samples; what comes out lags behind. Throws `MediaError`.
    func convert(_ input: Samples) throws(MediaError) -> Samples {
        consumed += input.count
        let output = try run(input)
        produced += output.count
        return output
    }

    /// Gives the rest, so that all output together has exactly the promised length. Throws
    /// `MediaError`.
    func finish() throws(MediaError) -> Samples {
        let missing = (consumed * outputRate + inputRate - 1) / inputRate - produced
        precondition(missing >= 0, "the resampler ran ahead of its input")
        var rest = Samples(channels: channels, values: [])
        while rest.count < missing {
            let more = try run(nil)
            if more.count == 0 { break }
            rest = rest.followed(by: more)
        }
        produced += missing
        let silence = [Float](repeating: 0, count: max(0, missing - rest.count))
        return Samples(planes: (0..<channels).map { Array(rest[$0].prefix(missing) + silence) })
    }

    /// One call of the library; nil input asks for what it holds back.
    private func run(_ input: Samples?) throws(MediaError) -> Samples {
        let count = input?.count ?? 0
        let capacity = max(Int(swr_get_out_samples(context, Int32(count))), 4096)
        var output = [Float](repeating: 0, count: capacity * channels)
        let status = output.withUnsafeMutableBytes { output in
            var outputPlanes = planes(of: UnsafeRawBufferPointer(output))
            guard let input else {
                return swr_convert(context, &outputPlanes, Int32(capacity), nil, 0)
            }
            return input.values.withUnsafeBytes { input in
                var inputPlanes = planes(of: input).map { $0.map { UnsafePointer($0) } }
                return swr_convert(
                    context, &outputPlanes, Int32(capacity), &inputPlanes, Int32(count))
            }
        }
        let produced = Int(try LibAV.check(status, "resample", path))
        let parts = (0..<channels).map { output[$0 * capacity..<$0 * capacity + produced] }
        return Samples(channels: channels, values: Array(parts.joined()))
    }

    /// The addresses of the planes in a buffer, as libav takes them.
    private func planes(of bytes: UnsafeRawBufferPointer) -> [UnsafeMutablePointer<UInt8>?] {
        (0..<channels).map { channel in
            bytes.baseAddress.map {
                UnsafeMutablePointer(
                    mutating: ($0 + channel * bytes.count / channels)
                        .assumingMemoryBound(to: UInt8.self))
            }
        }
    }
}
