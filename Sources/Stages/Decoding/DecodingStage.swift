import Artifacts
import Checkpoints
import Compute
import Layers
import Tensors
import VideoVAE

/// The stage from latents to frames: any range of blocks, each with the frames that one sequential run gives it.
public struct DecodingStage {
    private let latents: String
    private let manner: StreamManner
    private let listener: StageListener
    private let vae: VideoVAE
    private let weights: Provenance.Input

    /// Binds the decoder to its checkpoint and loads no weights yet.
    ///
    /// Throws what is missing, mis-shaped or malformed; with `strict` also what is left over.
    public init(
        weights path: String, latents: String, strict: Bool, manner: StreamManner,
        listener: @escaping StageListener
    ) throws {
        let folder = try WeightFolder(path: path)
        let checkpoint = try folder.videoVAE()
        let binder = WeightBinder(checkpoint)
        vae = try VideoVAE(binder)
        for warning in try binder.finish(strict: strict) { try listener(.warning(warning)) }
        weights = .weights(checkpoint.path, digest: checkpoint.digest)
        self.latents = latents
        self.manner = manner
        self.listener = listener
    }

    /// Decodes the blocks that are missing in a stream of frames at `output`, or a range of its blocks, as part of it.
    ///
    /// Throws `ArtifactError` if the output was made otherwise, or what the device or the streams throw.
    public func write(
        to output: String, blocks range: Range<Int>?, on device: any Device, precision: DataType,
        toolVersion: String
    ) throws {
        let source = try LatentSource(
            path: latents, architecture: vae.architecture, warmUpLatents: vae.decoder.warmUpLatents,
            range: range, manner: manner, listener: listener)
        let provenance = Provenance(
            tool: "decode-vae", toolVersion: toolVersion,
            options: ["precision": FloatName.of(precision)],
            inputs: [weights, try .stream(latents, as: "latents")])
        let writer = try manner.writer(
            to: output,
            source.framesDescription(provenance, architecture: vae.architecture), range: range)
        do {
            for missing in writer.missing {
                try decode(missing, of: source, on: device) { index, pixels in
                    try manner.awaitRoom(in: writer, listener)
                    try writer.write(index) { try $0.write(pixels, to: "frames") }
                }
            }
            try writer.finish(inputs: source.followedInputs())
        } catch {
            writer.fail(String(describing: error))
            throw error
        }
    }

    /// Decodes a range of blocks, or all, and hands each block's pixels, [frames, height, width, 3], to `sink`.
    ///
    /// `begin` is called before the first with the size of a frame and the frame rate, if that is known.
    public func decode(
        blocks range: Range<Int>?, on device: any Device,
        begin: (_ width: Int, _ height: Int, _ framesPerSecond: Double?) throws -> Void,
        sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let source = try LatentSource(
            path: latents, architecture: vae.architecture, warmUpLatents: vae.decoder.warmUpLatents,
            range: range, manner: manner, listener: listener)
        let shape = source.frameShape(vae.architecture)
        try begin(shape[2], shape[1], source.reader.description.framesPerSecond)
        try decode(source.range, of: source, on: device) { try sink($1) }
    }
}

extension DecodingStage {
    /// Decodes successive blocks behind the warm-up that makes them independent of where they start.
    private func decode(
        _ range: Range<Int>, of source: LatentSource, on device: any Device,
        sink: (Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard !range.isEmpty else { return }
        try loadWeights(on: device, listener) {
            try vae.decoder.parameters.load(on: device, monitor: $0)
        }
        let start = vae.decoder.start(atBlock: range.lowerBound, of: source.layout)
        let decoder = StreamingDecoder(
            vae.decoder, at: start, on: device, latentsPerPass: source.layout.blockLatents)
        try warmUp(decoder, start, of: source, on: device)
        for index in range {
            let (bytes, seconds) = try timed {
                let block = try source.block(index, on: device)
                let pixels = try decoder.decodePixels(
                    block, monitor: monitor(block: index, of: source))
                return try emit(pixels, block: index, of: source, on: device, to: sink)
            }
            try listener(.block(index, seconds: seconds, bytes: bytes))
            if manner.consume {
                try source.reader.consume(through: index, keeping: source.warmUpBlocks)
            }
        }
    }

    private func warmUp(
        _ decoder: StreamingDecoder, _ start: DecodingStart, of source: LatentSource,
        on device: any Device
    ) throws {
        if start.needsLead, let lead = try source.lead(on: device) { try decoder.warmUp(lead) }
        for index in start.warmUpBlocks {
            let (_, seconds) = try timed {
                try decoder.warmUp(source.block(index, on: device))
            }
            try listener(.replayed(index, seconds: seconds))
        }
    }

    /// Hands a block's pixels on, without the first frames of block 0, which the released code drops; returns their number
    /// of bytes.
    private func emit(
        _ pixels: Tensor, block index: Int, of source: LatentSource, on device: any Device,
        to sink: (Int, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int {
        let dropped =
            index == 0
            ? pixels.shape[0] - source.firstBlockFrames(vae.architecture) : 0
        let wanted = pixels.rows(dropped..<pixels.shape[0])
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: wanted.byteCount, alignment: 64)
        defer { buffer.deallocate() }
        try device.read(wanted, into: buffer)
        try sink(index, UnsafeRawBufferPointer(buffer))
        return buffer.count
    }

    private func monitor(block index: Int, of source: LatentSource) -> Monitor {
        { [listener] progress in
            try listener(
                .progress(
                    "block \(index + 1) of \(source.range.upperBound), \(progress.activity) \(progress.completed) of \(progress.total)"
                ))
        }
    }
}
