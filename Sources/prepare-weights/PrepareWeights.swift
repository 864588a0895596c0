import ArgumentParser
import Checkpoints
import Foundation
import Stages
import Tensors
import ToolSupport

/// The tool from published weights to prepared ones.
@main struct PrepareWeights: Tool {
    static let configuration = CommandConfiguration(
        commandName: "prepare-weights",
        abstract: "Merge a LoRA into weights and store them narrow, once for all runs.",
        discussion: """
            Writes a folder that the other tools take as --weights. The denoiser's matrices (those of the transformer's \
            blocks and the audio injectors, nearly all of its 16 billion weights) are stored in 8 bits with a scale for \
            each output channel, or in bfloat16; a LoRA is merged in float32 before they are rounded. With \
            --text-encoder, so are those of the text encoder's blocks. Everything else, and the other models' files, stay as \
            they are.

            EXAMPLES
              prepare-weights --weights weights --lora weights/LiveAvatar --output prepared
              denoise-latents --weights prepared ...

            FILES
              Shards in safetensors, each whole or not there; started again, the tool goes on with those that are missing. A folder that was prepared otherwise is replaced only \
            with --overwrite. \
            preparation.json tells what was rounded away of each matrix, relative to its length, and the SHA-256 of each \
            shard, text-preparation.json the same of the text encoder. Files of other models are links to the published ones where the file system allows it.

            EXIT STATUS
              0 done, 1 failed, 64 wrong usage, 130 interrupted, 143 terminated.
            """,
        version: Project.version)

    @OptionGroup(title: "Weights") var weights: WeightOptions

    @Option(
        help: ArgumentHelp("A LoRA to merge: a file, or the folder it is in.", valueName: "path"))
    var lora: String?

    @Option(help: ArgumentHelp("What the LoRA is multiplied with.", valueName: "factor"))
    var loraScale = DenoisingOptions().loraScale

    @Option(help: ArgumentHelp("How matrices are stored.", valueName: "type"))
    var precision: PreparedPrecision = .fp8

    @Flag(help: "Prepare the text encoder, too.")
    var textEncoder = false

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Reports") var report: ReportOptions

    func validate() throws { try checkScale(loraScale, of: lora) }

    func run() throws {
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        let stage = try PreparingStage(
            weights: weights.weights, lora: lora, loraScale: loraScale,
            withTextEncoder: textEncoder, strict: weights.strict, listener: reporting.hear)
        let reports = try reporting.metrics.measure("prepared") {
            try stage.write(to: output.output, as: precision, overwrite: output.overwrite)
        }
        let errors = reports.flatMap { Array($0.errors) }
        guard let worst = errors.max(by: { $0.value < $1.value }) else { return }
        reporting.reporter.note(
            String(
                format: "%d matrices rounded, at most %.1f %% of one lost ('%@')",
                errors.count, 100 * worst.value, worst.key))
    }
}

extension PreparedPrecision: ExpressibleByArgument {}
