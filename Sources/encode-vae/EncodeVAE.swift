import ArgumentParser
import Artifacts
import Media
import Stages
import Tensors
import ToolSupport

/// The tool from a portrait to the reference.
@main struct EncodeVAE: Tool {
    static let configuration = CommandConfiguration(
        commandName: "encode-vae",
        abstract: "Encode a portrait into a reference.",
        discussion: """
            Reads a JPEG, PNG or WebP picture, scales and crops it to the video's size, and encodes it. The size is an \
            area that the video may not exceed: its aspect ratio is the picture's, its sides multiples of 64. With \
            --verbose, the tool says which size came of it.

            With --pose, a video's poses are encoded beside it, as long as the audio. With several --actor-mask, \
            pictures that are not black where an actor is, voices are routed to actors in their order.

            EXAMPLES:
              A face:
                encode-vae --weights W --size 704x384 face.jpg \\
                    --output reference.safetensors
              With poses, which last as long as the voice:
                encode-vae --weights W face.jpg --pose dance.mp4 \\
                    --audio audio.safetensors --output reference.safetensors
              Two people, each with a voice:
                encode-vae --weights W couple.png \\
                    --actor-mask she.png --actor-mask he.png --output reference.safetensors

            FILES:
              Reads Wan2.1_VAE.pth, or .safetensors, in the weights' folder. Writes the
              tensors 'reference' and 'motion', perhaps 'pose' and 'mask'.

            \(Manual.exitStatus)
            """,
        version: Project.version)

    @Argument(help: ArgumentHelp("The portrait.", valueName: "image"))
    var image: String

    @OptionGroup(title: "Weights") var weights: WeightOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("The type on disk.", valueName: "type"))
    var outputType: FloatType = .float32

    @Option(
        help: ArgumentHelp(
            "The largest area, as width x height in pixels; 704x384 if not said.", valueName: "size"
        ),
        transform: AreaCap.init)
    var size = AreaCap(width: 704, height: 384)

    @Option(help: ArgumentHelp("A video of poses; needs --audio.", valueName: "video"))
    var pose: String?

    @Option(help: ArgumentHelp("The audio condition that the poses accompany.", valueName: "file"))
    var audio: String?

    @Option(help: ArgumentHelp("Where an actor is; one for each.", valueName: "image"))
    var actorMask: [String] = []

    @Option(help: precisionHelp) var precision: FloatType?

    @OptionGroup(title: "Device") var device: DeviceOptions
    @OptionGroup(title: "Reports") var report: ReportOptions

    func validate() throws {
        guard (pose == nil) == (audio == nil) else {
            throw ValidationError("--pose and --audio go together.")
        }
        if actorMask.count == 1 {
            throw ValidationError("One actor needs no --actor-mask; give one for each of several.")
        }
    }

    func run() throws {
        try keepInputs([image, pose, audio, weights.weights] + actorMask, from: output.output)
        let reporting = try StageReporting(tool: Self.toolName, options: report)
        let stage = try ReferenceStage(
            weights: weights.weights, strict: weights.strict,
            listener: reporting.hear)
        let picture = try Image(path: image)
        let source = FrameSize(height: picture.height, width: picture.width)
        guard let target = source.video(maxArea: size.area) else {
            throw ToolError("cannot use '\(image)': no video of its shape fits \(size) pixels")
        }
        let framing = Media.Framing(of: source, to: target)
        reporting.reporter.detail("\(source) pictures become a video of \(target)")
        let pixels = picture.framed(framing).normalized
        try reporting.metrics.measure("encoded") {
            try stage.write(
                .init(height: target.height, width: target.width, pixels: pixels.values),
                poses: poses(target), routing: routing(framing, target),
                framing: Artifacts.Framing(framing), provenance: provenance(),
                to: output.output, overwrite: output.overwrite, as: outputType.dataType,
                on: reporting.watching(device.open(precision)))
        }
    }

    /// The poses of as many clips as the audio has; grey where the video is over.
    private func poses(_ target: FrameSize) throws -> ReferenceStage.Poses? {
        guard let pose, let audio else { return nil }
        let condition = try AudioCondition(path: audio)
        guard let clipFrames = condition.timing.clipFrames else {
            throw ToolError("cannot use '\(audio)': it does not say how long a clip is")
        }
        let reader = try PoseReader(
            VideoReader(path: pose), framesPerSecond: condition.timing.framesPerSecond ?? 25,
            size: target)
        return .init(
            clips: condition.features.shape[0] / clipFrames, clipFrames: clipFrames,
            next: reader.next)
    }

    private func routing(
        _ framing: Media.Framing, _ target: FrameSize
    ) throws -> ReferenceStage.Routing? {
        guard !actorMask.isEmpty else { return nil }
        let masks = try actorMask.map { path in
            let mask = ActorMask(try Image(path: path))
            guard mask.size == framing.source else {
                throw ToolError(
                    "cannot use '\(path)': it is \(mask.size), the portrait \(framing.source)")
            }
            return [mask.framed(framing)]
        }
        let tokenPixels = 16
        let clipLatents = 12
        let routing = ActorRouting(
            masks: masks, frames: clipLatents,
            grid: FrameSize(
                height: target.height / tokenPixels, width: target.width / tokenPixels))
        return .init(actors: routing.actors, frames: routing.frames, values: routing.values)
    }

    private func provenance() throws -> Provenance {
        var inputs = [try Provenance.Input.file(image, as: "image")]
        if let pose { inputs.append(try .file(pose, as: "pose")) }
        if let audio { inputs.append(try .file(audio, as: "audio")) }
        for path in actorMask { inputs.append(try .file(path, as: "actor-mask")) }
        return Provenance(
            tool: Self.toolName, toolVersion: Project.version,
            options: [
                "size": size.description, "output-type": outputType.rawValue,
                "precision": device.precision(precision).rawValue,
            ], inputs: inputs)
    }
}

/// An area as it is typed: two sides.
struct AreaCap: CustomStringConvertible {
    let width: Int
    let height: Int

    /// The area of so many columns and rows.
    init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

    /// Reads what was typed; throws `ValidationError`.
    init(_ argument: String) throws {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map {
            Int($0)
        }
        guard sides.count == 2, let width = sides[0], let height = sides[1],
            (1...1 << 16).contains(width), (1...1 << 16).contains(height)
        else { throw ValidationError("A size is typed as in 704x384, width first.") }
        self.init(width: width, height: height)
    }

    /// Pixels.
    var area: Int { width * height }
    var description: String { "\(width)x\(height)" }
}

/// A pose video's frames at the video's size and rate, -1...1; -1 where the video is over.
private final class PoseReader {
    private let reader: VideoReader
    private let size: FrameSize
    private let interval: Int
    private var isAtEnd = false
    private var isFirst = true

    init(_ reader: VideoReader, framesPerSecond: Double, size: FrameSize) {
        self.reader = reader
        self.size = size
        interval = VideoReader.interval(reader.framesPerSecond, targetRate: framesPerSecond)
    }

    /// The next pose, [height, width, 3].
    func next() throws -> [Float] {
        if !isFirst, !isAtEnd {
            for _ in 1..<interval where try !reader.skip() {
                isAtEnd = true
                break
            }
        }
        isFirst = false
        guard !isAtEnd, let image = try reader.next() else {
            isAtEnd = true
            return [Float](repeating: -1, count: 3 * size.area)
        }
        return image.normalized.framed(to: size).values
    }
}

extension Artifacts.Framing {
    /// How Media framed the picture, as the file says it.
    fileprivate init(_ framing: Media.Framing) {
        let padTop = max(0, framing.top)
        let padLeft = max(0, framing.left)
        let cropHeight = min(framing.resized.height, framing.target.height)
        let cropWidth = min(framing.resized.width, framing.target.width)
        self.init(
            image: .init(width: framing.source.width, height: framing.source.height),
            scaled: .init(width: framing.resized.width, height: framing.resized.height),
            crop: .init(
                x: max(0, -framing.left), y: max(0, -framing.top),
                size: .init(width: cropWidth, height: cropHeight)),
            padding: .init(
                left: padLeft, top: padTop, right: framing.target.width - cropWidth - padLeft,
                bottom: framing.target.height - cropHeight - padTop))
    }
}
