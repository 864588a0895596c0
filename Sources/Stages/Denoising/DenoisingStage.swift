import Artifacts
import Compute
import Denoiser
import Layers
import Planning
import Tensors

/// The stage from conditions to latents: all steps of the schedule or a range of them, continued where an earlier
/// run of the same inputs and options stopped.
public struct DenoisingStage {
    private let paths: DenoisingPaths
    private let options: DenoisingOptions
    private let listener: StageListener
    private let transformer: CausalTransformer
    private let inputs: DenoisingInputs
    private let provenance: Provenance

    /// Blocks of the whole video.
    public var blocks: Int { inputs.blocks }

    /// What a plan of its memory is asked. Throws `StageError` for types that are no precision together.
    public func request() throws -> PlanRequest {
        let precision = Precision.allCases.first {
            $0.activationType == options.precision
                && $0.matrixType == options.matrixType ?? options.precision
        }
        guard let precision else {
            let types = [options.matrixType, options.precision].compactMap(\.self)
            throw StageError(
                "no precision has \(types.map(\.description).joined(separator: " matrices and ")) activations"
            )
        }
        var request = PlanRequest(
            model: try ModelSizes(of: transformer), grid: inputs.grid, steps: options.range.count,
            precision: precision, attention: options.attention == nil ? .activations : .float8)
        request.branches = inputs.negativeText == nil || options.guidance == 1 ? 1 : 2
        request.actors = inputs.audio.count
        return request
    }

    /// Opens and checks everything that is read, and loads no weights yet.
    ///
    /// Throws what does not exist, is malformed or does not fit, naming file and tensor.
    public init(
        _ paths: DenoisingPaths, options: DenoisingOptions, strict: Bool, toolVersion: String,
        listener: @escaping StageListener
    ) throws {
        try Self.check(options, paths)
        let denoiser = try BoundDenoiser(
            weights: paths.weights, lora: paths.lora, scale: options.loraScale, strict: strict,
            matrixType: options.matrixType, listener: listener)
        self.paths = paths
        self.options = options
        self.listener = listener
        transformer = denoiser.transformer
        inputs = try DenoisingInputs(
            paths, options: options, transformer: transformer, listener: listener)
        provenance = Provenance(
            tool: "denoise-latents", toolVersion: toolVersion,
            options: Self.shapingOptions(options, paths),
            inputs: denoiser.inputs + (try Self.artifacts(paths)))
    }

    /// Refuses options that contradict one another.
    private static func check(_ options: DenoisingOptions, _ paths: DenoisingPaths) throws {
        let range = options.range
        guard range.lowerBound >= 0, range.upperBound <= options.steps, !range.isEmpty else {
            throw StageError(
                "steps \(range.lowerBound + 1)-\(range.upperBound) are not among \(options.steps)")
        }
        if range.count < options.steps, options.solver != .euler {
            throw StageError(
                "solver '\(options.solver.rawValue)' remembers earlier steps: only euler can be split"
            )
        }
        if range.lowerBound > 0, paths.input == nil {
            throw StageError("step \(range.lowerBound + 1) needs the latents of the step before it")
        }
        if range.lowerBound == 0, paths.input != nil {
            throw StageError("the first step starts from noise and takes no latents")
        }
        if !options.isLast, paths.refreshFrom == nil {
            throw StageError(
                "steps that are not the last need the final latents to refresh the reference from")
        }
        guard !paths.audio.isEmpty else { throw StageError("there is no audio condition") }
    }
}

// MARK: - Running

extension DenoisingStage {
    /// Denoises every block that is missing. Finished blocks stay, whatever happens. What the device holds does not change
    /// the result.
    ///
    /// Throws `ArtifactError` if the output was made otherwise, or what the device or the streams throw.
    public func run(
        on device: any Device, residency: DenoiserResidency = .resident, manner: StreamManner
    ) throws {
        let input = try paths.input.map { try openInput($0, follow: manner.follow) }
        let writer = try manner.writer(to: paths.output, description())
        do {
            if writer.next < inputs.blocks {
                try writeLead(writer)
                try transformer.load(on: device, residency: residency) {
                    try listener(.progress("loading weights, \($0.completed) of \($0.total)"))
                }
                let sequence = try LatentSequence(
                    transformer: transformer, conditions: inputs.conditions(options),
                    randomness: inputs.randomness(options), grid: inputs.grid,
                    schedule: FlowSchedule(solver: options.solver, steps: options.steps),
                    steps: options.range, windowType: options.attention, residency: residency,
                    on: device)
                let run = Run(
                    stage: self, sequence: sequence, writer: writer, input: input,
                    refresh: try refreshSource(writer, follow: manner.follow), manner: manner)
                try run.replay(before: writer.next)
                for index in writer.next..<inputs.blocks {
                    try manner.awaitRoom(in: writer, listener)
                    try run.denoise(index)
                }
            }
            try writer.finish(inputs: try followedInputs(input))
        } catch {
            writer.fail(String(describing: error))
            throw error
        }
    }

    private func openInput(_ path: String, follow: Bool) throws -> StreamReader {
        let reader = try StreamReader(
            path: path, kind: .latents, following: follow ? .starting : .no,
            needs: 0..<inputs.blocks)
        try reader.expect(
            [
                transformer.configuration.latentChannels, DenoiserConfiguration.blockFrames,
                inputs.grid.height, inputs.grid.width,
            ], source: "the reference needs")
        try reader.expect(stepsDone: options.range.lowerBound, of: options.steps)
        return reader
    }

    /// Where the reference of the second clip comes from: the final latents' first block, as it was written.
    private func refreshSource(
        _ writer: StreamWriter, follow: Bool
    ) throws -> () throws -> Latents {
        func first(_ file: TensorFile) throws -> Latents {
            Latents(try file.tensor("latents")).frames(0..<1)
        }
        guard let path = paths.refreshFrom else {
            return { try first(writer.block(0)) }
        }
        return {
            let reader = try StreamReader(
                path: path, kind: .latents, following: follow ? .starting : .no, needs: 0..<1)
            guard let block = try reader.block(0) else {
                throw StageError("cannot read '\(path)': it ended before its first block")
            }
            return try first(block)
        }
    }

    private func followedInputs(_ input: StreamReader?) throws -> [Provenance.Input] {
        guard let input, let path = paths.input else { return [] }
        var followed = try Provenance.Input.stream(path, as: "input")
        followed.blocksSHA256 = try input.end().sha256
        return [followed]
    }

    /// The latents that the decoder must see before block 0, so that the stream decodes by itself.
    private func writeLead(_ writer: StreamWriter) throws {
        guard !writer.description.leadTensors.isEmpty else { return }
        let lead = Latents(inputs.reference.motion).frames(0..<Self.leadFrames)
        try writer.writeLead { try $0.write(lead.values, to: "latents") }
    }

    /// Latent frames of the motion condition with which the released code warms the decoder.
    private static let leadFrames = 7
}

// MARK: - Description

extension DenoisingStage {
    /// The stream that this run writes.
    private func description() -> StreamDescription {
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
    fileprivate var restartBlocks: Int {
        transformer.configuration.replayBlocks(on: inputs.grid) + 1
    }

    /// The options that shape the bytes, defaults included.
    private static func shapingOptions(
        _ options: DenoisingOptions, _ paths: DenoisingPaths
    ) -> [String: String] {
        var shaping = [
            "steps": String(options.steps), "solver": options.solver.rawValue,
            "precision": FloatName.of(options.matrixType ?? options.precision),
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

    private static func artifacts(_ paths: DenoisingPaths) throws -> [Provenance.Input] {
        var inputs = [try Provenance.Input.file(paths.text, as: "text")]
        if let path = paths.negativeText { inputs.append(try .file(path, as: "negative-text")) }
        for path in paths.audio { inputs.append(try .file(path, as: "audio")) }
        inputs.append(try .file(paths.reference, as: "reference"))
        if let path = paths.replay { inputs.append(try .file(path, as: "replay")) }
        return inputs
    }
}

// MARK: - One run

/// The blocks of one run, with everything that is open for it.
private struct Run {
    let stage: Stage
    let sequence: LatentSequence
    let writer: StreamWriter
    let input: StreamReader?
    let refresh: () throws -> Latents
    let manner: StreamManner

    typealias Stage = DenoisingStage

    /// Denoises one block and writes it.
    func denoise(_ index: Int) throws {
        let (block, seconds) = try timed { try compute(index) }
        try write(block)
        let bytes = writer.description.tensors(ofBlock: index).reduce(0) { $0 + $1.byteCount }
        try stage.report(.block(index, seconds: seconds, bytes: bytes))
        if manner.consume, let input {
            try input.consume(through: index, keeping: stage.restartBlocks)
        }
    }

    /// Fills the windows as they were before block `index`, from what is on disk, and makes sure that they are: the
    /// last block must come out as it was written.
    func replay(before index: Int) throws {
        let first = max(0, index - stage.restartBlocks)
        for block in first..<max(first, index) {
            if block == index - 1 {
                let (_, seconds) = try timed { try verify(block) }
                try stage.report(.verified(block, seconds: seconds))
            } else {
                let (_, seconds) = try timed { try refill(block) }
                try stage.report(.replayed(block, seconds: seconds))
            }
        }
    }

    private func compute(_ index: Int) throws -> DenoisedBlock {
        try sequence.denoise(
            index, audio: stage.sound(ofBlock: index), input: inputLatents(index),
            refresh: refreshed, monitor: stage.monitor(block: index))
    }

    private func refill(_ index: Int) throws {
        let file = try writer.block(index)
        var stepInputs = [try inputLatents(index) ?? sequence.noise(of: index)]
        if file.contains("step_inputs") {
            let later = try file.tensor("step_inputs")
            stepInputs += (0..<later.shape[0]).map { Latents(later, part: $0) }
        }
        try sequence.replay(
            index, audio: stage.sound(ofBlock: index), stepInputs: stepInputs,
            refresh: refreshed, monitor: stage.monitor(block: index))
    }

    /// Computes the block anew; the writer compares it with what is on disk.
    private func verify(_ index: Int) throws {
        try write(compute(index))
    }

    private func write(_ block: DenoisedBlock) throws {
        let dataType = writer.description.dataType
        try writer.write(block.index) { file in
            try file.write(block.latents.values.rounded(to: dataType), to: "latents")
            if writer.description.stepInputs != nil {
                try file.write(block.stepInputs.flatMap(\.values), to: "step_inputs")
            }
        }
    }

    /// What takes the image's place after the first clip, with the motion as it was.
    private func refreshed() throws -> SinkLatents {
        SinkLatents(reference: try refresh(), motion: stage.motion)
    }

    private func inputLatents(_ index: Int) throws -> Latents? {
        guard let input else { return nil }
        guard let file = try input.block(index) else {
            throw StageError("cannot read '\(input.path)': it ended before block \(index)")
        }
        return Latents(try file.tensor("latents"))
    }
}

extension DenoisingStage {
    /// The motion before the video.
    fileprivate var motion: Latents { Latents(inputs.reference.motion) }

    fileprivate func report(_ report: StageReport) throws { try listener(report) }

    fileprivate func sound(ofBlock index: Int) -> [[Float]] { inputs.sound(ofBlock: index) }

    /// Reports layers as they pass.
    fileprivate func monitor(block index: Int) -> Monitor {
        let (blocks, listener) = (inputs.blocks, listener)
        return { progress in
            try listener(
                .progress(
                    "block \(index + 1) of \(blocks), \(progress.activity) \(progress.completed) of \(progress.total)"
                ))
        }
    }
}
