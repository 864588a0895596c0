import Artifacts
import Compute
import Denoiser
import Layers
import Planning
import Tensors

/// The stage from conditions to latents: all steps of the schedule or a range of them, continued where an earlier
/// run of the same inputs and options stopped.
public struct DenoisingStage {
    let paths: DenoisingPaths
    let options: DenoisingOptions
    let listener: StageListener
    let transformer: CausalTransformer
    let inputs: DenoisingInputs
    let provenance: Provenance

    /// Blocks of the whole video.
    public var blocks: Int { inputs.blocks }

    /// What a plan of its memory is asked. Throws as `ModelSizes(of:)`.
    public func request() throws -> PlanRequest {
        var request = PlanRequest(
            model: try ModelSizes(of: transformer), grid: inputs.grid, steps: options.range.count,
            precision: options.precision,
            attention: options.attention == nil ? .activations : .float8)
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
            matrixType: options.precision.narrowType, listener: listener)
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

    /// Refuses options that contradict one another, by the names that `denoise-latents` gives them.
    public static func check(
        _ options: DenoisingOptions, _ paths: DenoisingPaths
    ) throws(StageError) {
        let range = options.range
        let name = "--step-range \(range.lowerBound + 1)-\(range.upperBound)"
        guard range.lowerBound >= 0, range.upperBound <= options.steps, !range.isEmpty else {
            throw StageError("\(name) is not among \(options.steps) steps")
        }
        if range.lowerBound > 0, paths.input == nil {
            throw StageError("\(name) goes on from --input, which is missing")
        }
        if range.lowerBound == 0, paths.input != nil {
            throw StageError("\(name) starts from noise and takes no --input")
        }
        if !options.isLast, paths.refreshFrom == nil {
            throw StageError("\(name) needs the final latents, --refresh-from, which is missing")
        }
        if range.count < options.steps, options.solver != .euler {
            throw StageError(
                "--solver \(options.solver.rawValue) remembers earlier steps: only euler goes with --step-range"
            )
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
        let input = try paths.input.map { try openInput($0, manner) }
        let writer = try manner.writer(to: paths.output, description())
        do {
            if writer.next > 0 {
                try listener(.detail("\(writer.next) of \(inputs.blocks) blocks are there"))
            }
            if writer.next < inputs.blocks {
                try writeLead(writer)
                try loadWeights(on: device, listener) {
                    try transformer.load(on: device, residency: residency, monitor: $0)
                }
                let sequence = try LatentSequence(
                    transformer: transformer, conditions: inputs.conditions(options),
                    randomness: inputs.randomness(options), grid: inputs.grid,
                    schedule: FlowSchedule(solver: options.solver, steps: options.steps),
                    steps: options.range, windowType: options.attention, residency: residency,
                    on: device)
                let run = DenoisingRun(
                    stage: self, sequence: sequence, writer: writer, input: input,
                    refresh: try refreshSource(writer, manner), manner: manner)
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

    private func openInput(_ path: String, _ manner: StreamManner) throws -> StreamReader {
        let reader = try manner.latents(at: path, needs: 0..<inputs.blocks, listener)
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
        _ writer: StreamWriter, _ manner: StreamManner
    ) throws -> () throws -> Latents {
        func first(_ file: TensorFile) throws -> Latents {
            Latents(try file.tensor("latents")).frames(0..<1)
        }
        guard let path = paths.refreshFrom else {
            return { try first(writer.block(0)) }
        }
        return {
            let reader = try manner.latents(at: path, needs: 0..<1, listener)
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
    static let leadFrames = 7
}
