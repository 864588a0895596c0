import Compute
import Layers
import Tensors

/// Takes features of video frames, [frames, states, dim] in row-major order, frame range by frame range
/// from the first to the last. The rows are valid during the call.
public typealias FeatureSink = (Range<Int>, UnsafeBufferPointer<Float>) throws -> Void

/// The audio encoder: from a recording to the audio condition, one row of all hidden states of
/// wav2vec 2.0 for each video frame.
public struct SpeechEncoder {
    /// Sizes of the model.
    public var configuration: Wav2Vec2Configuration { network.configuration }

    /// The network, without windows and frames.
    package let network: Wav2Vec2

    /// Claims the model's weights.
    public init(_ source: any WeightSource, configuration: Wav2Vec2Configuration) {
        network = Wav2Vec2(source, configuration)
    }

    /// Brings all weights into the device's memory.
    public func load(on device: any Device, monitor: Monitor = { _ in }) throws {
        try network.load(on: device, monitor: monitor)
    }

    /// Lets go of the device's memory.
    public func unload() { network.unload() }

    /// Which steps each video frame gets; throws `RecordingTooShort` if there are not enough.
    ///
    /// `speechFrames` is for recordings that were resampled: their length in frames, counted at their
    /// own rate, where that is finer.
    public func schedule(
        samples: Int, fps: Double, clipFrames: Int, speechFrames: Int? = nil
    ) throws(RecordingTooShort) -> FrameSchedule {
        let steps = configuration.steps(samples: samples)
        guard steps >= FrameSchedule.fewestSteps else {
            throw RecordingTooShort(
                samples: samples,
                samplesNeeded: configuration.samplesNeeded(steps: FrameSchedule.fewestSteps))
        }
        return FrameSchedule(
            samples: samples, steps: steps, stepRate: configuration.stepRate, fps: fps,
            clipFrames: clipFrames, speechFrames: speechFrames)
    }

    /// Computes the features of all frames and hands them to `sink`.
    ///
    /// The recording is normalised as a whole, and attended in one pass if it is no longer than the
    /// window. Weights must be loaded. Throws what the recording, the device, the monitor and the sink
    /// throw; traps if the schedule is another recording's.
    public func encode(
        _ speech: SpeechSamples, schedule: FrameSchedule, window: AttentionWindow,
        on device: any Device, monitor: Monitor = { _ in }, into sink: FeatureSink
    ) throws {
        precondition(schedule.samples == speech.count)
        let statistics = try SampleStatistics(of: speech) {
            try monitor(Progress("samples", completed: $0, total: $1))
        }
        let spans = window.spans(steps: schedule.steps)
        var nextFrame = 0
        for (index, span) in spans.enumerated() {
            let positions = positions(in: schedule, from: nextFrame, before: span.kept.upperBound)
            let frames = nextFrame..<nextFrame + positions.count
            nextFrame = frames.upperBound
            guard !frames.isEmpty else { continue }
            let rows = try encode(
                span, of: speech, statistics: statistics, frames: frames, positions: positions,
                on: device
            ) { layer in
                try monitor(
                    Progress(
                        "layers", completed: index * configuration.layers + layer,
                        total: spans.count * configuration.layers))
            }
            try rows.send(to: sink, limit: schedule.clipFrames, on: device)
        }
        try sendZeros(nextFrame..<schedule.frames, limit: schedule.clipFrames, to: sink)
    }

    /// The places of the frames from `first` on that lie before a step.
    private func positions(
        in schedule: FrameSchedule, from first: Int, before step: Int
    ) -> [FrameSchedule.Position] {
        var positions: [FrameSchedule.Position] = []
        while let position = schedule.position(ofFrame: first + positions.count),
            position.lower < step
        { positions.append(position) }
        return positions
    }

    /// Computes one window; `monitor` hears of the layers done.
    private func encode(
        _ span: AttentionWindow.Span, of speech: SpeechSamples, statistics: SampleStatistics,
        frames: Range<Int>, positions: [FrameSchedule.Position], on device: any Device,
        monitor: (Int) throws -> Void
    ) throws -> FrameRows {
        let x = try network.project(
            span.steps, samples: { statistics.normalize(try speech.read($0)) }, on: device,
            monitor: { try monitor(0) })
        let rows = try FrameRows(
            frames: frames, positions: positions, start: span.steps.lowerBound,
            states: configuration.states, dim: configuration.hiddenSize, on: device)
        try network.transform(x, on: device) { state, hidden in
            try rows.take(hidden, as: state, on: device)
            try monitor(state)
        }
        return rows
    }

    /// Rows of the frames past the end of the speech.
    private func sendZeros(_ frames: Range<Int>, limit: Int, to sink: FeatureSink) throws {
        let width = configuration.states * configuration.hiddenSize
        let zeros = [Float](repeating: 0, count: min(limit, frames.count) * width)
        for start in stride(from: frames.lowerBound, to: frames.upperBound, by: limit) {
            let part = start..<min(start + limit, frames.upperBound)
            try zeros.withUnsafeBufferPointer {
                try sink(part, UnsafeBufferPointer(rebasing: $0[..<(part.count * width)]))
            }
        }
    }
}

/// A recording of which the model makes too few steps to place any frame.
public struct RecordingTooShort: Error, Hashable, Sendable, CustomStringConvertible {
    /// Samples there are.
    public let samples: Int
    /// The fewest that would do.
    public let samplesNeeded: Int

    public var description: String {
        "the recording is too short: it has \(samples) samples at "
            + "\(Wav2Vec2Configuration.sampleRate) Hz, the model needs \(samplesNeeded)"
    }
}
