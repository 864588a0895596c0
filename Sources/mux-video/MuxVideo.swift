import ArgumentParser
import Artifacts
import Glibc
import Media
import Tensors
import ToolSupport

/// The tool from frames and a voice to a film.
@main struct MuxVideo: Tool {
    static let configuration = CommandConfiguration(
        commandName: "mux-video",
        abstract: "Mux frames and a voice into an MP4.",
        discussion: """
            Reads a stream of frames, or yuv4mpeg from stdin if the frames are '-', and writes H.264 and AAC. Frame k shows \
            the sound at k / fps: the three frames that the decoder drops at the beginning are made up for by showing \
            the first one longer. The film ends with the speech. Several voices are heard together.

            EXAMPLES:
              A film:
                mux-video --audio voice.wav frames/ --output out.mp4
              From a pipe:
                decode-vae --weights W latents/ --stdout | mux-video --audio voice.wav - \\
                    --output out.mp4
              Growing while frames are made; watch out.mp4.partial:
                mux-video --audio voice.wav --follow frames/ --output out.mp4
              Again, smaller:
                mux-video --audio voice.wav --crf 28 --overwrite frames/ --output out.mp4

            \(Manual.exitStatus)
            """,
        version: Project.version)

    @Argument(help: ArgumentHelp("The frames, or - for yuv4mpeg from stdin.", valueName: "dir"))
    var frames: String

    @Option(help: ArgumentHelp("The voice; several are mixed.", valueName: "file"))
    var audio: [String]

    @Option(name: .long, help: ArgumentHelp("The film to write.", valueName: "file"))
    var output: String

    @Flag(name: .long, help: "Replace a file that exists.")
    var overwrite = false

    @Option(
        help: ArgumentHelp(
            "Quality: 0 is lossless, 51 the worst; 6 less is about twice the bytes.",
            valueName: "number"))
    var crf = 18.0

    @Option(help: ArgumentHelp("How long x264 looks for fewer bytes.", valueName: "preset"))
    var preset: MovieOptions.Preset = .medium

    @Option(
        help: ArgumentHelp(
            "Frame times for which the first frame is shown longer; as many as the decoder dropped.",
            valueName: "count"))
    var holdFirst: Int?

    @Flag(help: "Wait for frames that are still being made.")
    var follow = false

    @Flag(help: "Delete frames that neither this tool nor another reader needs any more.")
    var consume = false

    @OptionGroup(title: "Reports") var report: ReportOptions

    /// Frames that the decoder drops, where the input does not say.
    private static let usuallyDropped = 3

    func validate() throws {
        guard !audio.isEmpty else { throw ValidationError("--audio is missing.") }
        guard (0...51).contains(crf) else { throw ValidationError("--crf must be from 0 to 51.") }
        if let holdFirst, !(0...1000).contains(holdFirst) {
            throw ValidationError("--hold-first must be from 0 to 1000.")
        }
        if frames == "-", consume {
            throw ValidationError("A pipe leaves nothing to consume.")
        }
    }

    func run() throws {
        try keepInputs(audio + [frames], from: output)
        guard overwrite || access(output, F_OK) != 0 else {
            throw ToolError("cannot write '\(output)': it exists; --overwrite replaces it")
        }
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        let summary = try reporting.metrics.measure("muxed") {
            try frames == "-" ? muxPipe(reporting.reporter) : muxStream(reporting.reporter)
        }
        if summary.isSoundCut {
            reporting.reporter.warn("the frames end before the speech, whose end is missing")
        }
        reporting.reporter.detail("\(summary.frames) frames, \(summary.samples) samples of sound")
    }

    private func muxPipe(_ reporter: Reporter) throws -> MovieWriter.Summary {
        let reader = try Y4MReader(descriptor: STDIN_FILENO, name: "stdin")
        let movie = try openMovie(
            size: reader.header.size, frameRate: reader.header.frameRate,
            dropped: Self.usuallyDropped)
        while let image = try reader.next() {
            // What is left in the pipe is read all the same, so that its writer does not fail.
            try movie.append(image)
            reporter.progress("frame \(movie.frameCount)")
        }
        return try movie.finish()
    }

    private func muxStream(_ reporter: Reporter) throws -> MovieWriter.Summary {
        let reader = try StreamReader(
            path: frames, kind: .frames, following: follow ? .starting : .no,
            noteWaiting: { reporter.waiting($0) })
        let description = reader.description
        let shape = description.blockShape
        let dropped = description.framesPerBlock.flatMap { all in
            description.firstBlockFrames.map { all - $0 }
        }
        let movie = try openMovie(
            size: FrameSize(height: shape[1], width: shape[2]),
            frameRate: FrameRate(description.framesPerSecond ?? 25), dropped: dropped ?? 0)
        var index = 0
        while let block = try reader.block(index) {
            try movie.append(block.tensor("frames").bytes)
            if consume { try reader.consume(through: index) }
            index += 1
            reporter.progress("block \(index), frame \(movie.frameCount)")
        }
        return try movie.finish()
    }

    private func openMovie(
        size: FrameSize, frameRate: FrameRate, dropped: Int
    ) throws -> MovieWriter {
        var options = MovieOptions()
        options.frameRate = frameRate
        options.crf = crf
        options.preset = preset
        options.holdFirst = holdFirst ?? dropped
        options.layout = follow ? .fragmented : .faststart
        return try MovieWriter(
            path: output, size: size, sound: SoundTrack(paths: audio), options: options)
    }
}

extension MovieOptions.Preset: ExpressibleByArgument {}
