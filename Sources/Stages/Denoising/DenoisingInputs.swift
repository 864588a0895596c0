import Artifacts
import Denoiser
import Tensors

/// The artifacts that denoising reads, opened and found to fit the model and one another.
struct DenoisingInputs {
    let text: TextCondition
    let negativeText: TextCondition?
    let audio: [Artifacts.AudioCondition]
    let reference: Reference
    let replay: Replay?
    let grid: LatentGrid
    /// Blocks of the whole video.
    let blocks: Int

    /// Video frames of a block.
    static let blockVideoFrames =
        DenoiserConfiguration.blockFrames * DenoiserConfiguration.framesPerLatent

    /// Opens the files; throws what does not fit, naming file and tensor.
    init(
        _ paths: DenoisingPaths, options: DenoisingOptions, transformer: CausalTransformer,
        listener: StageListener
    ) throws {
        let configuration = transformer.configuration
        text = try TextCondition(
            path: paths.text, width: transformer.textDim, tokenLimit: configuration.textTokens)
        negativeText = try paths.negativeText.map {
            try TextCondition(
                path: $0, width: transformer.textDim, tokenLimit: configuration.textTokens)
        }
        audio = try paths.audio.map {
            try Artifacts.AudioCondition(
                path: $0, layers: transformer.audioLayerCount, width: configuration.audioDim)
        }
        if audio.count > 1, try !TensorFile(path: paths.reference).contains("mask") {
            throw StageError(
                "cannot use '\(paths.reference)': it has no mask of who speaks where, which \(audio.count) voices need (encode-vae --actor-mask)"
            )
        }
        reference = try Reference(
            path: paths.reference,
            needs: Reference.Needs(
                channels: configuration.latentChannels,
                actors: audio.count > 1 ? audio.count : nil,
                maskFrames: DenoiserConfiguration.blockFrames))
        let grid = try Self.makeGrid(of: reference, audio: audio, paths: paths)
        self.grid = grid
        blocks = try Self.countBlocks(
            audio: audio, clips: options.clips, grid: grid, paths: paths, listener: listener)
        replay = try paths.replay.map {
            try Replay(
                path: $0, latent: [configuration.latentChannels, grid.height, grid.width],
                steps: options.steps)
        }
        try checkLengths(paths)
    }

    private static func makeGrid(
        of reference: Reference, audio: [Artifacts.AudioCondition], paths: DenoisingPaths
    ) throws -> LatentGrid {
        let (height, width) = (reference.reference.shape[2], reference.reference.shape[3])
        guard height % 2 == 0, width % 2 == 0, height > 0, width > 0 else {
            throw TensorFileError(
                path: paths.reference, tensor: "reference",
                reason: "is \(height) by \(width) latents, which do not split into tokens")
        }
        let usualClip = 48
        let clip = audio[0].timing.clipFrames ?? usualClip
        for (path, other) in zip(paths.audio, audio)
        where other.timing.clipFrames ?? usualClip != clip {
            throw StageError(
                "cannot use '\(path)': its clips are of another length than those of '\(paths.audio[0])'"
            )
        }
        guard clip > 0, clip % blockVideoFrames == 0 else {
            throw StageError(
                "cannot use '\(paths.audio[0])': clips of \(clip) frames are not whole blocks of \(blockVideoFrames)"
            )
        }
        return LatentGrid(
            height: height, width: width,
            clipFrames: clip / DenoiserConfiguration.framesPerLatent)
    }

    /// As many blocks as hold the speech, or as whole clips were asked for.
    private static func countBlocks(
        audio: [Artifacts.AudioCondition], clips: Int?, grid: LatentGrid, paths: DenoisingPaths,
        listener: StageListener
    ) throws -> Int {
        let available = audio.map { $0.features.shape[0] / blockVideoFrames }.min() ?? 0
        let speech = audio.map { $0.timing.blocks(ofFrames: blockVideoFrames) ?? available }
        let spoken = min(speech.min() ?? 0, available)
        guard available > 0 else {
            throw StageError("cannot use '\(paths.audio[0])': it is shorter than a block")
        }
        if clips == nil, let longest = speech.max(), longest > spoken {
            try listener(
                .warning(
                    "the video ends with the shortest of the voices: \(spoken) blocks of \(longest)"
                ))
        }
        guard let clips else { return max(1, spoken) }
        let wanted = clips * grid.clipBlocks
        if wanted > available {
            try listener(
                .warning(
                    "the sound lasts \(available / grid.clipBlocks) clips, so \(clips) cannot be made"
                ))
        } else if wanted < spoken {
            try listener(
                .warning("\(clips) clips are shorter than the speech: its end will be missing"))
        }
        return min(wanted, available)
    }

    private func checkLengths(_ paths: DenoisingPaths) throws {
        let frames = blocks * DenoiserConfiguration.blockFrames
        if let pose = reference.pose, pose.shape[1] < frames {
            throw TensorFileError(
                path: paths.reference, tensor: "pose",
                reason: "has \(pose.shape[1]) latent frames, the video needs \(frames)")
        }
        let clips = (blocks + grid.clipBlocks - 1) / grid.clipBlocks
        if let replay, let path = paths.replay {
            guard replay.noise.shape[2] == grid.clipFrames,
                replay.sinkDistance.shape[1] == grid.clipBlocks
            else {
                throw TensorFileError(
                    path: path, tensor: "noise", reason: "is for clips of another length")
            }
            guard replay.clips >= clips else {
                throw TensorFileError(
                    path: path, tensor: "noise",
                    reason: "has \(replay.clips) clips, the video needs \(clips)")
            }
        }
    }
}

extension DenoisingInputs {
    /// The conditions in the denoiser's terms.
    func conditions(_ options: DenoisingOptions) -> DenoisingConditions {
        var conditions = DenoisingConditions(
            context: text.context.floats(),
            sink: SinkLatents(
                reference: Latents(reference.reference), motion: Latents(reference.motion)))
        conditions.guidance = negativeText.map {
            .init(context: $0.context.floats(), scale: options.guidance)
        }
        let frames = blocks * DenoiserConfiguration.blockFrames
        conditions.pose = reference.pose.map { Latents($0).frames(0..<frames) }
        if let mask = reference.mask {
            let values = mask.floats()
            let perActor = values.count / mask.shape[0]
            conditions.masks = (0..<mask.shape[0]).map {
                Array(values[$0 * perActor..<$0 * perActor + grid.blockTokens])
            }
        }
        return conditions
    }

    /// The random numbers of the seed, or of the file that replaces them.
    func randomness(_ options: DenoisingOptions) -> DenoisingRandomness {
        guard let replay else {
            return DenoisingRandomness(
                seed: options.seed, channels: reference.reference.shape[0], grid: grid,
                multiprocessors: options.noiseMultiprocessors)
        }
        let distances = replay.sinkDistance.floats().map { Int($0) }
        let (blocks, steps) = (replay.sinkDistance.shape[1], replay.sinkDistance.shape[2])
        return DenoisingRandomness(
            noise: { Latents(replay.noise, part: $0) },
            sinkDistance: { distances[($0 * blocks + $1) * steps + $2] })
    }

    /// The features of one block for each actor, [12, layers, features].
    func sound(ofBlock index: Int) -> [[Float]] {
        let rows = index * Self.blockVideoFrames..<(index + 1) * Self.blockVideoFrames
        return audio.map { $0.features.rows(rows).floats() }
    }
}

extension TensorView {
    /// Some indices of the outermost axis, in place.
    func rows(_ range: Range<Int>) -> TensorView {
        let row = bytes.count / max(1, shape[0])
        return TensorView(
            name: name, dataType: dataType,
            shape: Shape([range.count] + shape.dimensions.dropFirst()),
            bytes: UnsafeRawBufferPointer(
                rebasing: bytes[range.lowerBound * row..<range.upperBound * row]),
            owner: owner)
    }
}

extension Latents {
    /// A tensor [channels, frames, h, w], or the `part`-th of those along an outer axis.
    init(_ tensor: TensorView, part: Int = 0) {
        let shape = tensor.shape
        let outer = shape.rank > 4 ? tensor.rows(part..<part + 1) : tensor
        self.init(
            channels: shape[-4], frames: shape[-3], height: shape[-2], width: shape[-1],
            values: outer.floats())
    }
}
