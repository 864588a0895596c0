import Compute
import Layers
import Tensors

/// Decodes a stream of latents piece by piece: 4 frames for a latent, 1 for the stream's first.
///
/// Latents pass through the layers in passes of up to `latentsPerPass`, always divided at the same places of
/// the stream, so that the arithmetic is the same wherever a decoder starts. After a call that threw, the
/// decoder is of no more use.
public final class StreamingDecoder {
    /// The model.
    public let decoder: VideoDecoder
    /// Latents that pass through the layers together: more take more memory.
    public let latentsPerPass: Int
    /// The place in the stream of the next latent.
    public private(set) var position: Int

    private let device: any Device
    private let firstWanted: Int
    private let passOrigin: Int
    private let stream: StreamState
    private var hasFailed = false

    /// A decoder for a whole stream, whose frames are all wanted.
    public convenience init(
        _ decoder: VideoDecoder, on device: any Device, latentsPerPass: Int = 3
    ) {
        self.init(
            decoder, at: DecodingStart(warmUp: 0..<0), on: device, latentsPerPass: latentsPerPass)
    }

    /// A decoder that must see the latents of `start` before it decodes.
    public init(
        _ decoder: VideoDecoder, at start: DecodingStart, on device: any Device,
        latentsPerPass: Int = 3
    ) {
        precondition(latentsPerPass > 0)
        self.decoder = decoder
        self.device = device
        self.latentsPerPass = latentsPerPass
        position = start.warmUp.lowerBound
        firstWanted = start.warmUp.upperBound
        passOrigin = start.passOrigin
        stream = StreamState(isAtStart: position == 0)
    }

    /// Sees the stream's next latents [channels, n, h, w], all of them before the first wanted one; layers
    /// that cannot matter to what is wanted are left out.
    public func warmUp(_ latents: Tensor, monitor: Monitor = { _ in }) throws {
        precondition(position + latents.shape[1] <= firstWanted)
        try run(latents, monitor: monitor) { _, _ in }
    }

    /// The frames of the stream's next latents [channels, n, h, w]: [4n, H, W, 3] in the device's activation
    /// type, not clamped to -1...1; 3 fewer at the start of the stream.
    public func decode(_ latents: Tensor, monitor: Monitor = { _ in }) throws -> Tensor {
        precondition(position >= firstWanted, "the warm-up is not over")
        let frames = try device.allocate(frameShape(latents), device.activationType)
        try run(latents, monitor: monitor) { try device.copy($0, into: frames.rows($1)) }
        return frames
    }

    /// The frames of the stream's next latents [channels, n, h, w] as 8-bit pixels: [4n, H, W, 3], 3 fewer at
    /// the start of the stream.
    public func decodePixels(_ latents: Tensor, monitor: Monitor = { _ in }) throws -> Tensor {
        precondition(position >= firstWanted, "the warm-up is not over")
        let frames = try device.allocate(frameShape(latents), .uint8)
        try run(latents, monitor: monitor) { try device.quantizePixels($0, into: frames.rows($1)) }
        return frames
    }

    /// Frames that `count` latents from here on give.
    public func frameCount(ofLatents count: Int) -> Int {
        let perLatent = decoder.architecture.framesPerLatent
        return count * perLatent - (position == 0 && count > 0 ? perLatent - 1 : 0)
    }

    private func frameShape(_ latents: Tensor) -> Shape {
        let scale = decoder.architecture.pixelsPerLatent
        return [
            frameCount(ofLatents: latents.shape[1]), scale * latents.shape[2],
            scale * latents.shape[3], decoder.architecture.pixelChannels,
        ]
    }
}

extension StreamingDecoder {
    /// Runs the passes of these latents, and gives `take` the frames of each with their range in the whole.
    private func run(
        _ latents: Tensor, monitor: Monitor, take: (Tensor, Range<Int>) throws -> Void
    ) throws {
        guard latents.shape[1] > 0 else { return }
        let begin = position
        let input = try decoder.denormalized(latents, on: device)
        let passes = passes(position..<position + latents.shape[1])
        let total = passes.reduce(0) { $0 + depth(of: $1) }
        var steps = Steps("layers", total: total)
        var frames = 0
        for pass in passes {
            let rows = pass.lowerBound - begin..<pass.upperBound - begin
            let count = frameCount(ofLatents: pass.count)
            try run(
                pass, input.rows(rows), step: { try steps.advance(monitor) },
                take: { try take($0, frames..<frames + count) })
            frames += count
        }
    }

    /// Runs one pass, and gives `take` its frames if it went through all modules.
    private func run(
        _ pass: Range<Int>, _ input: Tensor, step: () throws -> Void,
        take: (Tensor) throws -> Void
    ) throws {
        precondition(!hasFailed, "a call threw, and the stream's histories are incomplete")
        hasFailed = true
        let depth = depth(of: pass)
        let output = try decoder.chain(
            input, depth: depth, stream: stream, on: device, step: step)
        if depth == decoder.chain.modules.count { try take(output) }
        position = pass.upperBound
        hasFailed = false
    }

    /// How many modules a pass must go through.
    private func depth(of pass: Range<Int>) -> Int {
        decoder.chain.depth(atDistance: firstWanted - (pass.upperBound - 1))
    }

    /// The range divided where passes meet: the stream's first latent alone, then at whole passes from
    /// the origin.
    private func passes(_ range: Range<Int>) -> [Range<Int>] {
        var passes: [Range<Int>] = []
        var lower = range.lowerBound
        while lower < range.upperBound {
            let ahead = floorQuotient(lower - passOrigin, latentsPerPass) + 1
            let upper = lower == 0 ? 1 : passOrigin + ahead * latentsPerPass
            passes.append(lower..<min(upper, range.upperBound))
            lower = upper
        }
        return passes
    }
}
