import Artifacts
import Denoiser
import Tensors

extension DenoisingStage {
    /// The stream that this run writes.
    func description() -> StreamDescription {
        let grid = inputs.grid
        let block = [
            transformer.configuration.latentChannels, DenoiserConfiguration.blockFrames,
            grid.height, grid.width,
        ]
        var description = StreamDescription(
            kind: .latents, blockShape: Shape(block),
            dataType: options.isLast ? options.outputType : .float32)
        if options.range.count > 1 {
            description.stepInputs = .init(
                shape: Shape([options.range.count - 1] + block), dataType: .float32)
        }
        description.framesPerBlock = DenoisingInputs.blockVideoFrames
        description.framesPerSecond = inputs.audio[0].timing.framesPerSecond
        description.blocks = inputs.blocks
        if options.isLast, inputs.reference.motion.shape[1] >= Self.leadFrames {
            description.leadFrames = Self.leadFrames
        }
        description.stepsDone = options.range.upperBound
        description.steps = options.steps
        description.solver = options.solver.rawValue
        description.seed = inputs.replay == nil ? options.seed : nil
        description.restart = .init(first: 1, last: restartBlocks)
        description.provenance = provenance
        return description
    }

    /// Blocks that a restart reads: those on which a block depends, and behind them the last one that is
    /// there, which is computed again to be compared.
    var restartBlocks: Int {
        transformer.configuration.replayBlocks(on: inputs.grid) + 1
    }

    /// The options that shape the bytes, defaults included.
    static func shapingOptions(
        _ options: DenoisingOptions, _ paths: DenoisingPaths
    ) -> [String: String] {
        var shaping = [
            "steps": String(options.steps), "solver": options.solver.rawValue,
            "precision": FloatName.of(options.precision.matrixType),
            "output-type": FloatName.of(options.outputType),
        ]
        if paths.replay == nil {
            shaping["seed"] = String(options.seed)
            shaping["noise-multiprocessors"] = String(options.noiseMultiprocessors)
        }
        shaping["clips"] = options.clips.map(String.init)
        shaping["attention"] = options.attention.map(FloatName.of)
        if paths.lora != nil { shaping["lora-scale"] = String(options.loraScale) }
        if paths.negativeText != nil { shaping["guidance"] = String(options.guidance) }
        // A single process and a chain of them give the same bytes, so the range is told only where it is one.
        if options.range.count < options.steps {
            shaping["step-range"] = "\(options.range.lowerBound + 1)-\(options.range.upperBound)"
        }
        return shaping
    }

    static func artifacts(_ paths: DenoisingPaths) throws -> [Provenance.Input] {
        var inputs = [try Provenance.Input.file(paths.text, as: "text")]
        if let path = paths.negativeText { inputs.append(try .file(path, as: "negative-text")) }
        for path in paths.audio { inputs.append(try .file(path, as: "audio")) }
        inputs.append(try .file(paths.reference, as: "reference"))
        if let path = paths.replay { inputs.append(try .file(path, as: "replay")) }
        return inputs
    }
}
