import Artifacts
import Compute
import Tensors
import VideoVAE

/// A stream of latents as the decoder reads it.
struct LatentSource {
    let reader: StreamReader
    /// The blocks to decode.
    let range: Range<Int>
    let layout: StreamLayout
    /// Blocks before one that a decoder must see.
    let warmUpBlocks: Int

    private let path: String

    /// Frames that the released code drops at the very beginning, where the decoder is still settling.
    private static let droppedFrames = 3

    /// Opens a stream whose latents fit the decoder.
    init(
        path: String, architecture: Architecture, warmUpLatents: Int, range: Range<Int>?,
        manner: StreamManner, listener: @escaping StageListener
    ) throws {
        let description = try manner.follow ? nil : StreamFolder(path: path).description()
        try Self.check(range, among: description?.blocks, path: path)
        let warmUp = description.map { Self.warmUpBlocks(warmUpLatents, $0) } ?? 0
        reader = try manner.latents(
            at: path, needs: range.map { max(0, $0.lowerBound - warmUp)..<$0.upperBound }, listener)
        try reader.expect([architecture.latentChannels, nil, nil, nil])
        let known = reader.description
        if let done = known.stepsDone, let steps = known.steps, done < steps {
            throw StageError(
                "cannot decode '\(path)': its latents are after step \(done) of \(steps)")
        }
        guard let blocks = try known.blocks ?? (manner.follow ? nil : reader.end().blocks) else {
            throw StageError(
                "cannot follow '\(path)': it does not say how many blocks there will be")
        }
        try Self.check(range, among: blocks, path: path)
        self.path = path
        self.range = range ?? 0..<blocks
        layout = StreamLayout(
            leadLatents: known.leadFrames ?? 0, blockLatents: known.blockShape[1])
        warmUpBlocks = Self.warmUpBlocks(warmUpLatents, known)
    }

    private static func check(
        _ range: Range<Int>?, among blocks: Int?, path: String
    ) throws(StageError) {
        guard let range, let blocks, range.upperBound > blocks else { return }
        throw StageError("cannot decode blocks \(range) of '\(path)': it has \(blocks)")
    }

    private static func warmUpBlocks(_ latents: Int, _ description: StreamDescription) -> Int {
        (latents + description.blockShape[1] - 1) / description.blockShape[1]
    }

    /// A block's latents on a device, [channels, latent frames, h, w].
    func block(_ index: Int, on device: any Device) throws -> Tensor {
        guard let file = try reader.block(index) else {
            throw StageError("cannot read '\(path)': it ended before block \(index)")
        }
        return try latents(of: file, on: device)
    }

    /// The latents in front of block 0, if there are any.
    func lead(on device: any Device) throws -> Tensor? {
        try reader.lead().map { try latents(of: $0, on: device) }
    }

    private func latents(of file: TensorFile, on device: any Device) throws -> Tensor {
        let view = try file.tensor("latents")
        return try device.tensor(view.floats(), view.shape)
    }

    /// The end of a stream that was followed, for the provenance.
    func followedInputs() throws -> [Provenance.Input] {
        guard range.upperBound == reader.description.blocks else { return [] }
        var input = try Provenance.Input.stream(path, as: "latents")
        input.blocksSHA256 = try reader.end().sha256
        return [input]
    }
}

extension LatentSource {
    /// The frames that a block gives: [frames, height, width, 3].
    func frameShape(_ architecture: Architecture) -> Shape {
        let block = reader.description.blockShape
        return [
            block[1] * architecture.framesPerLatent, block[2] * architecture.pixelsPerLatent,
            block[3] * architecture.pixelsPerLatent, architecture.pixelChannels,
        ]
    }

    /// Frames of block 0. Without a lead, its first latent is the stream's first and gives one frame, so that
    /// as many come out without dropping any.
    func firstBlockFrames(_ architecture: Architecture) -> Int {
        layout.blockLatents * architecture.framesPerLatent - Self.droppedFrames
    }

    /// The stream of frames that comes of it.
    func framesDescription(
        _ provenance: Provenance, architecture: Architecture
    ) -> StreamDescription {
        let shape = frameShape(architecture)
        var description = StreamDescription(
            kind: .frames, blockShape: shape, dataType: .uint8)
        description.framesPerBlock = shape[0]
        description.firstBlockFrames = firstBlockFrames(architecture)
        description.framesPerSecond = reader.description.framesPerSecond
        description.blocks = reader.description.blocks ?? range.upperBound
        description.provenance = provenance
        return description
    }
}
