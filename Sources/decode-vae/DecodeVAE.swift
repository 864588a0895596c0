import ArgumentParser
import Compute
import Foundation
import Glibc
import RawVideo
import Stages
import Tensors
import ToolSupport

/// The tool from latents to frames.
@main struct DecodeVAE: Tool {
    static let configuration = CommandConfiguration(
        commandName: "decode-vae",
        abstract: "Decode latents into frames.",
        discussion: """
            Reads a stream of latents and writes a stream of frames, or yuv4mpeg for a pipe. Any range of blocks can \
            be decoded by itself, here or elsewhere: the decoder first sees the blocks before it that matter, so the \
            frames are those of one sequential run, to the bit. Ranges that cover the video make one stream. Started \
            again, the tool goes on with the blocks that are missing.

            EXAMPLES:
              All of it:
                decode-vae --weights W latents/ --output frames/
              While the latents are being made:
                decode-vae --weights W --follow latents/ --output frames/
              Half here, half there:
                decode-vae --weights W --blocks '0..<100' latents/ --output frames/
                decode-vae --weights W --blocks '100..<200' latents/ --output frames/
              Nothing on the disk:
                decode-vae --weights W latents/ --stdout | mux-video --audio voice.wav - \\
                    --output out.mp4

            FILES:
              Reads Wan2.1_VAE.pth, or .safetensors, in the weights' folder, and the
              latents. Writes a folder: stream.json, a file for each block of 12 frames
              (9 in the first), and end.json when it is complete.

            \(Manual.exitStatus)
            """,
        version: Project.version)

    @Argument(help: ArgumentHelp("The latents.", valueName: "dir"))
    var latents: String

    @OptionGroup(title: "Weights") var weights: WeightOptions

    @Option(help: ArgumentHelp("The frames to write.", valueName: "dir"))
    var output: String?

    @Flag(help: "Write yuv4mpeg (4:4:4, BT.709) to stdout instead.")
    var stdout = false

    @Flag(name: .long, help: "Replace frames that were made from other latents or otherwise.")
    var overwrite = false

    @Option(
        help: ArgumentHelp(
            "Decode the blocks from one up to, not including, another, as in '100..<200'.",
            valueName: "range"),
        transform: BlockRange.init)
    var blocks: BlockRange?

    @Option(help: precisionHelp) var precision: FloatType?

    @Flag(help: "Wait for blocks that are still being made.")
    var follow = false

    @Flag(help: "Delete latents that neither this tool nor another reader needs any more.")
    var consume = false

    @Option(
        help: ArgumentHelp(
            "Pause while so many blocks are on the disk, until a reader with --consume deletes some.",
            valueName: "count"))
    var maxBlocks: Int?

    @OptionGroup(title: "Device") var device: DeviceOptions
    @OptionGroup(title: "Reports") var report: ReportOptions

    func validate() throws {
        guard stdout != (output != nil) else {
            throw ValidationError("Give either --output or --stdout.")
        }
        if maxBlocks != nil, output == nil {
            throw ValidationError("--max-blocks goes with --output; a pipe has its own limit.")
        }
        if consume, blocks != nil {
            throw ValidationError("--consume and --blocks exclude each other.")
        }
    }

    func run() throws {
        try keepInputs([latents, weights.weights], from: output)
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        var manner = StreamManner()
        manner.follow = follow
        manner.consume = consume
        manner.overwrite = overwrite
        manner.mostBlocks = maxBlocks
        let stage = try DecodingStage(
            weights: weights.weights, latents: latents, strict: weights.strict, manner: manner,
            listener: reporting.hear)
        let device = try reporting.watching(device.open(precision))
        if let output {
            try stage.write(
                to: output, blocks: blocks?.range, on: device, precision: device.activationType,
                toolVersion: Project.version)
        } else {
            try writePipe(stage, on: device)
        }
    }
}

extension DecodeVAE {
    private func writePipe(_ stage: DecodingStage, on device: any Device) throws {
        var writer: Y4MWriter?
        try stage.decode(
            blocks: blocks?.range, on: device,
            begin: { width, height, framesPerSecond in
                let header = Y4MHeader(
                    size: FrameSize(height: height, width: width),
                    frameRate: FrameRate(framesPerSecond ?? 25))
                writer = Y4MWriter(header, descriptor: STDOUT_FILENO, name: "stdout")
            },
            sink: { try writer?.append($0) })
    }
}

/// Blocks as they are typed, counted from 0: `100..<200` without the last, or `7` for one.
struct BlockRange {
    let range: Range<Int>

    /// Reads what was typed; throws `ValidationError`.
    init(_ argument: String) throws {
        let ends = argument.components(separatedBy: "..<").map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], first >= 0,
            let end = ends.count == 1 ? first + 1 : ends[1]
        else {
            throw ValidationError("Blocks are typed as in '100..<200', or 7 for one.")
        }
        guard end > first else { throw ValidationError("The range is empty.") }
        range = first..<end
    }
}
