import ArgumentParser
import Checkpoints
import Compute
import Denoiser
import Planning
import Stages
import ToolSupport

/// The tool that tells what fits before anything is loaded.
@main struct PlanRun: Tool {
    static let configuration = CommandConfiguration(
        commandName: "plan-run",
        abstract: "Tell what fits, what is streamed and how long it takes, before anything loads.",
        discussion: """
            Counts the bytes that denoise-latents would hold on each device: weights, windows of keys and values, and what \
            operations need meanwhile. What does not fit is streamed from the host's memory; the table says how much goes over the \
            link and what a step takes. Steps are divided over the devices as timestep.mk does. Without --weights it plans for the \
            published model.

            EXAMPLES:
              plan-run --size 704x384 --devices 4x22.15GiB --precision fp8 --attention fp8
              plan-run --size 384x256 --devices cpu:64GiB --precision int8
              plan-run --weights W --size 704x384 --devices cuda:0,cuda:1 --json

            EXIT STATUS:
              0    There is a plan.
              1    It does not fit: one line says what lacks and what would fit.
              64   Wrong usage.
            """,
        version: Project.version)

    @Option(
        help: ArgumentHelp(
            "The folder that holds Wan2.2-S2V-14B, or that folder itself.", valueName: "dir"))
    var weights: String?

    @Option(help: ArgumentHelp("A LoRA to merge into the weights.", valueName: "file|dir"))
    var lora: String?

    @Option(help: ArgumentHelp("The video's size, sides multiples of 16.", valueName: "size"))
    var size = PictureSize(width: 704, height: 384)

    @Option(
        help: ArgumentHelp(
            "Where to run: cpu, cuda:N, or cards of a size, as in 22.15GiB or 4x22.15GiB, or cpu:64GiB; several with commas. By default what this machine has: its cards, or else its processor.",
            valueName: "list"),
        transform: PlannedDevices.init)
    var devices: PlannedDevices?

    @Option(help: ArgumentHelp("Steps of the schedule, 1 to 1000.", valueName: "count"))
    var steps = 4

    @Option(
        help: ArgumentHelp(
            "The type of weights: f32, bf16, fp8 or int8; by default bf16 on cards, else f32.",
            valueName: "type"))
    var precision: Precision?

    @Option(
        help: ArgumentHelp(
            "The type of windows: bf16, which is f32 with --precision f32, or fp8.",
            valueName: "type"
        ))
    var attention: AttentionType = .activations

    @Option(
        help: ArgumentHelp("Video frames of a clip, a multiple of 12.", valueName: "count"))
    var clipFrames = 48

    @Option(help: ArgumentHelp("Voices, each of one actor.", valueName: "count"))
    var actors = 1

    @Flag(help: "Plan for a negative text, which has windows of its own.")
    var guidance = false

    @Option(
        help: ArgumentHelp(
            "Whose speed cards of a size have: \(CardRates.known.map(\.name).joined(separator: ", ")).",
            valueName: "name"))
    var card: CardRates = .h200

    @Flag(help: "Print JSON in place of a table.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000.")
        }
        guard (1...16).contains(actors) else {
            throw ValidationError("--actors must be from 1 to 16.")
        }
        guard (12...4800).contains(clipFrames), clipFrames % 12 == 0 else {
            throw ValidationError("--clip-frames must be a multiple of 12, at most 4800.")
        }
        if lora != nil, weights == nil {
            throw ValidationError("--lora goes with --weights.")
        }
    }

    func run() throws {
        let devices = try devices ?? .here()
        let plan = try RunPlan(request(on: devices), at: devices.places(card: card))
        try StandardOutput.write(json ? PlanReport(plan).json() : plan.text)
    }

    private func request(on devices: PlannedDevices) throws -> PlanRequest {
        var request = PlanRequest(
            model: try model(),
            grid: LatentGrid(
                height: size.height / 8, width: size.width / 8,
                clipFrames: clipFrames / DenoiserConfiguration.framesPerLatent),
            steps: steps, precision: try precision ?? ownPrecision(on: devices),
            attention: attention)
        request.branches = guidance ? 2 : 1
        request.actors = actors
        return request
    }

    /// What `denoise-latents` takes where no precision is asked for.
    private func ownPrecision(on devices: PlannedDevices) throws -> Precision {
        let prepared = try weights.flatMap { try WeightFolder(path: $0).preparedType() }
        return .ofTransformer(onCard: devices.haveCards, prepared: prepared)
    }

    private func model() throws -> ModelSizes {
        guard let weights else { return .published }
        let reporter = Reporter(silentUnlessWatched: Self.toolName)
        let bound = try BoundDenoiser(
            weights: weights, lora: lora, scale: DenoisingOptions().loraScale, strict: false
        ) { if case .warning(let message) = $0 { reporter.warn(message) } }
        return try ModelSizes(of: bound.transformer)
    }
}

extension CardRates: ExpressibleByArgument {
    public init?(argument: String) {
        guard let rates = CardRates.named(argument) else { return nil }
        self = rates
    }

    public var defaultValueDescription: String { name }
}
