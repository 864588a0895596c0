import ArgumentParser
import Compute
import Foundation
import Stages
import Tensors
import ToolSupport

/// The tool from a prompt to the text condition.
@main struct EncodeText: Tool {
    static let configuration = CommandConfiguration(
        commandName: "encode-text",
        abstract: "Encode a prompt into a text condition.",
        discussion: """
            Cleans and tokenizes the prompt as the released code does, and runs the UMT5 encoder over it. What \
            exceeds 511 tokens is left out, with a word on stderr. Blocks of the encoder are loaded one at a time, so \
            that one block's weights are in memory and not the model's.

            EXAMPLES:
              A prompt on the command line:
                encode-text --weights W --prompt 'A woman speaks to the camera.' \\
                    --output text.safetensors
              A long one in a file, whose last newline does not count:
                encode-text --weights W --prompt-file prompt.txt --output text.safetensors
              What to guide away from (denoise-latents --negative-text):
                encode-text --weights W --prompt 'blurry, distorted' \\
                    --output away.safetensors

            FILES:
              Reads models_t5_umt5-xxl-enc-bf16.pth, or what prepare-weights made of it, and
              google/umt5-xxl/tokenizer.json in the weights' folder. Writes one tensor, 'context' [tokens, features].

            \(Manual.exitStatus)
            """,
        version: Project.version)

    @OptionGroup(title: "Weights") var weights: WeightOptions

    @Option(help: ArgumentHelp("The prompt.", valueName: "text"))
    var prompt: String?

    @Option(help: ArgumentHelp("A file that holds the prompt, UTF-8.", valueName: "file"))
    var promptFile: String?

    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("The type on disk.", valueName: "type"))
    var outputType: FloatType = .float32

    @Option(help: Precision.help) var precision: Precision?

    @OptionGroup(title: "Device") var device: DeviceOptions
    @OptionGroup(title: "Reports") var report: ReportOptions

    func validate() throws {
        guard (prompt == nil) != (promptFile == nil) else {
            throw ValidationError("Give either --prompt or --prompt-file.")
        }
    }

    func run() throws {
        try keepInputs([promptFile, weights.weights], from: output.output)
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        let text = try readPrompt()
        let stage = try TextStage(
            weights: weights.weights, strict: weights.strict,
            listener: reporting.hear)
        try reporting.metrics.measure("encoded") {
            try stage.write(
                prompt: text, to: output.output, overwrite: output.overwrite,
                as: outputType.dataType,
                on: reporting.watching(
                    device.open(transformer: device.transformerPrecision(precision))),
                toolVersion: Project.version)
        }
    }

    private func readPrompt() throws -> String {
        if let prompt { return prompt }
        let path = promptFile ?? ""
        let file = try MappedFile(path: path)
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw ToolError("cannot read '\(path)': it is not UTF-8 text")
        }
        // The newline with which editors end a file is no part of the prompt.
        return text.last?.isNewline == true ? String(text.dropLast()) : text
    }
}
