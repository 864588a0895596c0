import ArgumentParser
import Artifacts
import AudioEncoder
import Media
import Stages
import Tensors
import ToolSupport

/// The tool from a voice to the audio condition.
@main struct EncodeAudio: Tool {
    static let configuration = CommandConfiguration(
        commandName: "encode-audio",
        abstract: "Encode a voice into an audio condition.",
        discussion: """
            Reads the sound of any file that libav reads, mixes it to mono at 16 kHz, and runs wav2vec 2.0 over it: \
            one row of features for each video frame, padded with zeros to whole clips. Recordings of more than five \
            minutes are taken in overlapping windows, so that memory does not grow with them.

            EXAMPLES:
              A recording, or the sound of a film:
                encode-audio --weights W voice.wav --output audio.safetensors
                encode-audio --weights W talk.mp4 --output audio.safetensors
              For a video of 16 frames per second:
                encode-audio --weights W --fps 16 voice.wav --output audio.safetensors

            FILES:
              Reads wav2vec2-large-xlsr-53-english/ in the weights' folder. Writes one
              tensor, 'features' [frames, layers, features]. While it works, the sound
              lies beside the output: 64 kB for a second.

            \(Manual.exitStatus)
            """,
        version: Project.version)

    @Argument(help: ArgumentHelp("The recording.", valueName: "voice"))
    var voice: String

    @OptionGroup(title: "Weights") var weights: WeightOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("The type on disk.", valueName: "type"))
    var outputType: FloatType = .float32

    @Option(help: ArgumentHelp("Video frames per second.", valueName: "rate"))
    var fps = 25.0

    @Option(help: ArgumentHelp("Video frames of a clip, a multiple of 12.", valueName: "count"))
    var clipFrames = 48

    @Option(help: precisionHelp) var precision: FloatType?

    @OptionGroup(title: "Device") var device: DeviceOptions
    @OptionGroup(title: "Reports") var report: ReportOptions

    func validate() throws {
        guard fps.isFinite, fps >= 1, fps <= 1000 else {
            throw ValidationError("--fps must be from 1 to 1000.")
        }
        guard clipFrames > 0, clipFrames % 12 == 0, clipFrames <= 12000 else {
            throw ValidationError("--clip-frames must be a multiple of 12, at most 12000.")
        }
    }

    func run() throws {
        try keepInputs([voice, weights.weights], from: output.output)
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        let stage = try AudioStage(
            weights: weights.weights, strict: weights.strict,
            listener: reporting.hear)
        let spool = try SampleSpool(
            SoundReader(path: voice, rate: Waveform.speechRate), beside: output.output
        ) {
            reporting.reporter.progress("reading sound, \(Int($0)) s")
        }
        try reporting.metrics.measure("encoded") {
            do {
                try stage.write(
                    SpeechSamples(count: spool.count, read: spool.samples),
                    voice: .file(voice, as: "voice"),
                    timing: .init(framesPerSecond: fps, clipFrames: clipFrames),
                    to: output.output, overwrite: output.overwrite, as: outputType.dataType,
                    on: reporting.watching(device.open(precision)),
                    memoryLimit: device.memoryLimit?.bytes, toolVersion: Project.version)
            } catch let error as RecordingTooShort {
                throw ToolError("cannot use '\(voice)': \(error)")
            }
        }
    }
}
