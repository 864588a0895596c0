import AudioEncoder
import Compute
import Testing

/// A sink that keeps what it is given, and checks that frames come in order and complete.
struct RowCollector {
    private var rows: [Float] = []
    private var frames = 0

    /// The rows of all frames, [frames, states, dim].
    static func rows(
        _ encoder: SpeechEncoder, _ speech: SpeechSamples, _ schedule: FrameSchedule,
        window: AttentionWindow, on device: any Device
    ) throws -> [Float] {
        var collector = RowCollector()
        try encoder.encode(speech, schedule: schedule, window: window, on: device) {
            collector.take($0, $1)
        }
        #expect(collector.frames == schedule.frames)
        return collector.rows
    }

    private mutating func take(_ range: Range<Int>, _ values: UnsafeBufferPointer<Float>) {
        #expect(range.lowerBound == frames)
        frames = range.upperBound
        rows += values
    }
}
