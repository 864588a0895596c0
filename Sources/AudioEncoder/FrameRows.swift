import Compute
import Tensors

/// The features of some video frames, filled state by state while a window is computed, so that no
/// hidden state outlives its layer.
struct FrameRows {
    /// The frames.
    let frames: Range<Int>

    /// Steps in the window before each frame's place, and after it; int32 [frames]
    private let lower: Tensor
    private let upper: Tensor
    /// How far each place is from the lower to the upper; float32 [frames]
    private let fraction: Tensor
    /// float32 [frames, states * dim]
    private let rows: Tensor
    private let states: Int

    /// Rows for frames whose places are `positions`, in a window that begins at step `start`.
    init(
        frames: Range<Int>, positions: [FrameSchedule.Position], start: Int, states: Int, dim: Int,
        on device: any Device
    ) throws {
        let shape: Shape = [frames.count]
        self.frames = frames
        self.states = states
        lower = try device.tensor(positions.map { Int32($0.lower - start) }, shape, .int32)
        upper = try device.tensor(positions.map { Int32($0.upper - start) }, shape, .int32)
        fraction = try device.tensor(positions.map(\.fraction), shape)
        rows = try device.allocate([frames.count, states * dim], .float32)
    }

    /// Takes the frames' rows out of a hidden state, float32 [steps, dim]: lower + fraction * (upper - lower).
    func take(_ state: Tensor, as index: Int, on device: any Device) throws {
        let dim = state.shape[1]
        let before = try device.allocate([frames.count, dim], .float32)
        let after = try device.allocate(before.shape, .float32)
        try device.gather(state, rows: lower, into: before)
        try device.gather(state, rows: upper, into: after)
        let between = try device.allocate(before.shape, .float32)
        try device.add(before, after, gate: nil, mask: fraction, alpha: 1, into: between)
        try device.accumulate(before, mask: fraction, alpha: -1, onto: between)
        try device.copy(between, into: rows.columns(index * dim..<(index + 1) * dim))
    }

    /// Hands the rows to `sink`, `limit` frames at a time.
    func send(to sink: FeatureSink, limit: Int, on device: any Device) throws {
        var buffer = [Float](repeating: 0, count: min(limit, frames.count) * rows.shape[1])
        for start in stride(from: 0, to: frames.count, by: limit) {
            let part = start..<min(start + limit, frames.count)
            let count = part.count * rows.shape[1]
            try buffer.withUnsafeMutableBytes {
                try device.read(
                    rows.rows(part),
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: $0[..<(count * DataType.float32.size)]))
            }
            let shifted = frames.lowerBound + part.lowerBound..<frames.lowerBound + part.upperBound
            try buffer.withUnsafeBufferPointer {
                try sink(shifted, UnsafeBufferPointer(rebasing: $0[..<count]))
            }
        }
    }
}
