import ArgumentParser
import Checkpoints
import Compute
import Denoiser
import Stages
import Tensors
import ToolSupport

/// The tool from conditions to latents.
@main struct DenoiseLatents: Tool {
    static let configuration = CommandConfiguration(
        commandName: "denoise-latents",
        abstract: "Denoise latents from a text, a voice and a reference.",
        discussion: """
            Reads what encode-text, encode-audio and encode-vae wrote, and writes a stream of latent blocks, 12 video \
            frames each, which decode-vae turns into frames. A block is kept as soon as it is done: started again \
            with the same inputs and options, the tool goes on after the last one, and the result is the same to \
            the bit.

            EXAMPLES:
              As the released code does:
                denoise-latents --weights W --lora W/LiveAvatar --text text.safetensors \\
                    --audio audio.safetensors --reference reference.safetensors \\
                    --output latents/
              A first look, two clips of it:
                denoise-latents ... --clips 2 --output look/
              Steps shared by two processes, each following the other:
                denoise-latents ... --step-range 1-2 --refresh-from latents/ --follow \\
                    --output after-step-2/ &
                denoise-latents ... --step-range 3-4 --input after-step-2/ --follow \\
                    --output latents/
              Several people, each with a voice:
                denoise-latents ... --audio she.safetensors --audio he.safetensors \\
                    --output latents/

            FILES:
              Reads config.json and diffusion_pytorch_model-* in the weights' folder, and
              the LoRA. Writes a folder: stream.json, a file for each block, and end.json
              when it is complete.

            \(Manual.exitStatus)
            """,
        version: Project.version)

    @OptionGroup(title: "Weights") var weights: WeightOptions

    @Option(help: ArgumentHelp("A LoRA to merge into the weights.", valueName: "file|dir"))
    var lora: String?

    @Option(
        help: ArgumentHelp("What the LoRA is multiplied with: alpha / rank.", valueName: "factor"))
    var loraScale = DenoisingOptions().loraScale

    @Option(help: ArgumentHelp("The text condition.", valueName: "file"))
    var text: String

    @Option(
        help: ArgumentHelp("The audio condition; one for each actor.", valueName: "file"))
    var audio: [String]

    @Option(help: ArgumentHelp("The reference.", valueName: "file"))
    var reference: String

    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("The type of the final latents on disk.", valueName: "type"))
    var outputType: FloatType = .float32

    @Option(help: ArgumentHelp("Steps of the schedule, 1 to 1000.", valueName: "count"))
    var steps = 4

    @Option(help: ArgumentHelp("How latents go from step to step.", valueName: "name"))
    var solver: FlowSchedule.Solver = .euler

    @Option(
        help: ArgumentHelp("The seed of the noise, the same as in PyTorch.", valueName: "number"))
    var seed: UInt64 = 420

    @Option(
        help: ArgumentHelp(
            "Multiprocessors of the card on which PyTorch would make the same noise.",
            valueName: "count"))
    var noiseMultiprocessors = 132

    @Option(
        help: ArgumentHelp(
            "Make so many whole clips; without it, the video is as long as the speech.",
            valueName: "count"))
    var clips: Int?

    @Option(help: Precision.help) var precision: Precision?

    @Option(help: AttentionType.help) var attention: AttentionType?

    @Option(help: ArgumentHelp("Noise and sink distances to use instead.", valueName: "file"))
    var replay: String?

    @Option(help: ArgumentHelp("A text to guide away from.", valueName: "file"))
    var negativeText: String?

    @Option(
        help: ArgumentHelp(
            "How far to go from the negative text; 1 is no guidance.", valueName: "factor"))
    var guidance = DenoisingOptions().guidance

    @Option(
        help: ArgumentHelp("The steps to run, as in 3-4.", valueName: "from-to"),
        transform: StepRange.init)
    var stepRange: StepRange?

    @Option(help: ArgumentHelp("Latents behind the step before the range.", valueName: "dir"))
    var input: String?

    @Option(
        help: ArgumentHelp(
            "The final latents, of which the reference is made after the first clip.",
            valueName: "dir"))
    var refreshFrom: String?

    @Flag(help: "Wait for input blocks that are still being made.")
    var follow = false

    @Flag(help: "Delete input blocks that no restart needs any more.")
    var consume = false

    @Option(
        help: ArgumentHelp(
            "Pause while so many blocks are on the disk, until a reader with --consume deletes some.",
            valueName: "count"))
    var maxBlocks: Int?

    @Option(
        help: ArgumentHelp(
            "Leave so much of a card's free memory to other processes, as in 4GiB.",
            valueName: "bytes"))
    var leaveMemory: ByteCount?

    @OptionGroup(title: "Device") var device: DeviceOptions
    @OptionGroup(title: "Reports") var report: ReportOptions

    func validate() throws {
        guard (1...1000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000.")
        }
        guard noiseMultiprocessors > 0 else {
            throw ValidationError("--noise-multiprocessors must be positive.")
        }
        if let clips, clips < 1 { throw ValidationError("--clips must be at least 1.") }
        if stepRange == nil, input != nil || refreshFrom != nil {
            throw ValidationError("--input and --refresh-from go with --step-range.")
        }
        if input == nil, consume { throw ValidationError("--consume goes with --input.") }
        if let maxBlocks, maxBlocks < 1 {
            throw ValidationError("--max-blocks must be at least 1.")
        }
        guard guidance.isFinite else { throw ValidationError("--guidance must be a number.") }
        if negativeText == nil, guidance != DenoisingOptions().guidance {
            throw ValidationError("--guidance goes with --negative-text.")
        }
        try checkScale(loraScale, of: lora)
        guard !audio.isEmpty else { throw ValidationError("--audio is missing.") }
        do {
            try DenoisingStage.check(options(precision ?? .bfloat16), paths)
        } catch {
            throw ValidationError("\(error).")
        }
    }

    func run() throws {
        try keepInputs(
            audio + [text, reference, input, refreshFrom, negativeText, replay, lora]
                + [weights.weights], from: output.output)
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        let precision = device.transformerPrecision(
            precision, prepared: try WeightFolder(path: weights.weights).preparedType())
        let stage = try DenoisingStage(
            paths, options: options(precision), strict: weights.strict,
            toolVersion: Project.version,
            listener: reporting.hear)
        var manner = StreamManner()
        manner.follow = follow
        manner.consume = consume
        manner.overwrite = output.overwrite
        manner.mostBlocks = maxBlocks
        let opened = try reporting.watching(device.open(transformer: precision))
        reporting.reporter.detail(
            "matrices are \(opened.matrixType) on \(opened.name), activations \(opened.activationType)"
        )
        let plan = try device.plan(stage.request(), on: opened, leaving: leaveMemory)
        if let plan, device.isTold(plan) { reporting.reporter.note(plan.text) }
        try stage.run(on: opened, residency: plan?.residency ?? .resident, manner: manner)
    }

    private var paths: DenoisingPaths {
        var paths = DenoisingPaths(
            weights: weights.weights, text: text, audio: audio, reference: reference,
            output: output.output)
        paths.lora = lora
        paths.negativeText = negativeText
        paths.replay = replay
        paths.input = input
        paths.refreshFrom = refreshFrom
        return paths
    }

    private func options(_ precision: Precision) -> DenoisingOptions {
        var options = DenoisingOptions()
        options.precision = precision
        options.attention = attention?.windowType
        options.steps = steps
        options.solver = solver
        options.seed = seed
        options.noiseMultiprocessors = noiseMultiprocessors
        options.clips = clips
        options.outputType = outputType.dataType
        options.loraScale = loraScale
        options.guidance = guidance
        options.stepRange = stepRange?.steps
        return options
    }
}

extension FlowSchedule.Solver: ExpressibleByArgument {}

/// Steps as they are typed, counted from 1 and inclusive: `3-4`, or `2` for one.
struct StepRange: CustomStringConvertible {
    /// The steps counted from 0.
    let steps: Range<Int>

    /// Reads what was typed; throws `ValidationError`.
    init(_ argument: String) throws {
        let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map {
            Int($0)
        }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1]
        else { throw ValidationError("Steps are typed as in 3-4, or 2 for one.") }
        guard first >= 1, last >= first, last <= 1000 else {
            throw ValidationError("Steps count from 1, the lower one first.")
        }
        steps = first - 1..<last
    }

    var description: String { "\(steps.lowerBound + 1)-\(steps.upperBound)" }
}
