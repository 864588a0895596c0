import ArgumentParser
import Compute
import Denoiser
import Planning
import StageBenchmarks
import Tensors
import ToolSupport

/// The tool that times a stage at the published models' size.
@main struct BenchStages: Tool {
    static let configuration = CommandConfiguration(
        commandName: "bench-stages",
        abstract: "Time a stage at the size of the published models, without their weights.",
        discussion: """
            Runs the models that the stages run, with weights made up, in the middle of their work: a denoising step \
            over a full window, a block of latents in mid-stream. Prints the median and the spread of the rounds, the \
            memory, and with --profile the share of each operation and how near it comes to what the device can do.

              bench-stages --device cuda:0 --stage denoise --size 704x384 --profile
              bench-stages --stage decode --size 128x64 --divide-widths 16 --json

            With --write-weights and --write-inputs it writes what denoise-latents and decode-vae need to be run at that size.

            EXIT STATUS
              0 done, 1 failed, 64 wrong usage, 130 interrupted, 143 terminated.
            """,
        version: Project.version)

    @Option(help: "What to time: text, audio, encode, denoise or decode.")
    var stage: BenchmarkStage?

    @Option(help: ArgumentHelp("The video's size, sides multiples of 16.", valueName: "size"))
    var size = PictureSize(width: 704, height: 384)

    @Option(
        help: ArgumentHelp("Layers of the transformer, not as many as published.", valueName: "n"))
    var layers: Int?

    @Option(
        help: ArgumentHelp("Divide widths and heads by 2, 4, 8, 16 or 32.", valueName: "n"))
    var divideWidths = 1

    @Option(help: ArgumentHelp("Steps of the denoiser's schedule.", valueName: "n"))
    var steps = 4

    @Option(help: ArgumentHelp("Length of the recording.", valueName: "seconds"))
    var seconds = 60.0

    @Option(help: ArgumentHelp("How often to time each thing.", valueName: "n"))
    var rounds = 10

    @Flag(help: "Time every operation by itself, too.")
    var profile = false

    @Option(
        help: ArgumentHelp(
            "Time so many algorithms of a card's libraries for each problem, too.", valueName: "n"))
    var candidates: Int?

    @Flag(help: "Print JSON in place of a table.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Write the weights of denoiser and video autoencoder, laid out as published, here.",
            valueName: "dir"))
    var writeWeights: String?

    @Option(
        help: ArgumentHelp(
            "Write a text, --seconds of audio and a reference here.", valueName: "dir"))
    var writeInputs: String?

    @Option(help: Precision.help) var precision: Precision?

    @Option(help: AttentionType.help) var attention: AttentionType?

    @OptionGroup(title: "Device") var device: DeviceOptions

    func validate() throws {
        guard stage != nil || writeWeights != nil || writeInputs != nil else {
            throw ValidationError("Give --stage, or something to write.")
        }
        guard (layers ?? 1) > 0, rounds > 0, steps > 0, (candidates ?? 1) > 0 else {
            throw ValidationError(
                "--layers, --rounds, --steps and --candidates must be positive.")
        }
        guard PublishedSizes.divisors.contains(divideWidths) else {
            throw ValidationError("--divide-widths must be 1, 2, 4, 8, 16 or 32.")
        }
        guard attention == nil || stage == .denoise || stage == nil else {
            throw ValidationError("--attention goes with --stage denoise.")
        }
        guard
            precision?.narrowType == nil || stage != .audio && stage != .encode && stage != .decode
        else {
            throw ValidationError("Only the text encoder and the denoiser have matrices of 8 bits.")
        }
        guard seconds.isFinite, seconds >= 1, seconds <= 300 else {
            throw ValidationError("--seconds must be from 1 to 300.")
        }
    }

    func run() throws {
        let reporter = Reporter(silentUnlessWatched: Self.toolName)
        let files = SyntheticFiles(subject(.denoise), toolVersion: Project.version)
        if let writeWeights {
            try files.writeWeights(to: writeWeights) { reporter.progress($0) }
        }
        if let writeInputs { try files.writeInputs(to: writeInputs, seconds: seconds) }
        guard let stage else { return }
        let precision = device.transformerPrecision(precision)
        let opened = try device.open(transformer: precision)
        var subject = subject(stage)
        if stage == .denoise, let plan = try device.plan(request(subject, precision), on: opened) {
            subject.residency = plan.residency
            if !json, device.isTold(plan) { try StandardOutput.write(plan.text + "\n") }
        }
        let run = BenchmarkRun(
            subject, rounds: rounds, isProfiled: profile, candidates: candidates)
        let result = try run(on: opened) { reporter.progress($0) }
        try StandardOutput.write(json ? result.json() : result.text)
    }

    private func subject(_ stage: BenchmarkStage) -> BenchmarkSubject {
        BenchmarkSubject(
            stage: stage, sizes: PublishedSizes(layers: layers, divisor: divideWidths),
            height: size.height, width: size.width, steps: steps, seconds: seconds,
            windowType: attention?.windowType)
    }

    /// What the plan of the denoiser's memory is asked.
    private func request(
        _ subject: BenchmarkSubject, _ precision: Precision
    ) -> PlanRequest {
        PlanRequest(
            model: ModelSizes(
                configuration: subject.sizes.denoiser, textDim: subject.sizes.textDim,
                audioStates: subject.sizes.audioStates),
            grid: subject.grid, steps: steps, precision: precision,
            attention: attention ?? .activations)
    }
}

extension BenchmarkStage: ExpressibleByArgument {}
