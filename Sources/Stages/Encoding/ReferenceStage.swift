import Artifacts
import Checkpoints
import Compute
import Layers
import Tensors
import VideoVAE

/// The stage from a portrait, and perhaps poses and masks, to the reference.
public struct ReferenceStage {
    private let vae: VideoVAE
    private let weights: Provenance.Input
    private let listener: StageListener

    /// Frames that the portrait is shown before the video: the motion condition.
    private static let motionVideoFrames = 73

    /// A picture that fits the video: [height, width, 3] in -1...1.
    public struct Picture: Sendable {
        /// Rows, a multiple of 8.
        public var height: Int
        /// Columns, a multiple of 8.
        public var width: Int
        /// The pixels in row-major order.
        public var pixels: [Float]

        /// A picture of these pixels. Traps unless their number fits.
        public init(height: Int, width: Int, pixels: [Float]) {
            precondition(pixels.count == 3 * height * width)
            self.height = height
            self.width = width
            self.pixels = pixels
        }
    }

    /// Poses frame by frame, in clips.
    public struct Poses {
        /// Clips.
        public var clips: Int
        /// Video frames of a clip, a multiple of 4.
        public var clipFrames: Int
        /// The next frame's pixels, like a picture's; black-out (-1) where the video has ended.
        public var next: () throws -> [Float]

        /// Poses that `next` gives in order.
        public init(clips: Int, clipFrames: Int, next: @escaping () throws -> [Float]) {
            self.clips = clips
            self.clipFrames = clipFrames
            self.next = next
        }
    }

    /// How several voices are routed: [actors, frames, height / 16, width / 16], 0 or 1.
    public struct Routing: Sendable {
        /// Actors.
        public var actors: Int
        /// Latent frames.
        public var frames: Int
        /// The values in row-major order.
        public var values: [Float]

        /// A routing of these values.
        public init(actors: Int, frames: Int, values: [Float]) {
            self.actors = actors
            self.frames = frames
            self.values = values
        }
    }

    /// Binds the encoder to its checkpoint; loads no weights yet.
    public init(
        weights path: String, strict: Bool, listener: @escaping StageListener
    ) throws {
        let folder = try WeightFolder(path: path)
        let checkpoint = try folder.videoVAE()
        let binder = WeightBinder(checkpoint)
        vae = try VideoVAE(binder)
        for warning in try binder.finish(strict: strict) { try listener(.warning(warning)) }
        weights = .weights(checkpoint.path, digest: checkpoint.digest)
        self.listener = listener
    }

    /// Encodes everything and writes the reference.
    ///
    /// Throws `StageError` before anything is computed if `output` is something else; with `overwrite` it is replaced.
    public func write(
        _ picture: Picture, poses: Poses?, routing: Routing?, framing: Framing,
        provenance: Provenance, to output: String, overwrite: Bool = false, as dataType: DataType,
        on device: any Device
    ) throws {
        var provenance = provenance
        provenance.inputs = (provenance.inputs ?? []) + [weights]
        try OutputFile(path: output, overwrite: overwrite).check(.reference, provenance)
        try loadWeights(on: device, listener) {
            try vae.encoder.parameters.load(on: device, monitor: $0)
        }
        let pixels = try device.tensor(
            picture.pixels, [1, picture.height, picture.width, 3])
        let still = try vae.encoder.encodeStill(
            pixels, frameCount: Self.motionVideoFrames, on: device,
            monitor: monitor("the portrait"))
        let shape = still.motion.shape
        let poseFrames = poses.map {
            $0.clips * $0.clipFrames / vae.architecture.framesPerLatent
        }
        let writer = try Reference.create(
            path: output,
            layout: .init(
                channels: shape[0], height: shape[2], width: shape[3], motionFrames: shape[1],
                poseFrames: poseFrames,
                mask: routing.map { .init(actors: $0.actors, frames: $0.frames) }),
            type: dataType, framing: framing, provenance: provenance)
        try writer.write(device.floats(still.reference), to: "reference")
        try writer.write(device.floats(still.motion), to: "motion")
        if let routing { try writer.write(routing.values, to: "mask") }
        if let poses { try write(poses, like: picture, to: writer, on: device) }
        try writer.commit()
    }

    /// Encodes clip after clip; each goes to its place in every channel of `pose`.
    private func write(
        _ poses: Poses, like picture: Picture, to writer: TensorFileWriter, on device: any Device
    ) throws {
        let perClip = poses.clipFrames / vae.architecture.framesPerLatent
        for clip in 0..<poses.clips {
            var first: [Float]?
            let latents = try vae.encoder.encodePose(
                frameCount: poses.clipFrames, on: device,
                monitor: monitor("poses, clip \(clip + 1) of \(poses.clips)")
            ) { range in
                var pixels: [Float] = []
                for index in range {
                    // The clip's first frame is asked for twice.
                    if index == 0, let first {
                        pixels += first
                    } else {
                        let frame = try poses.next()
                        if index == 0 { first = frame }
                        pixels += frame
                    }
                }
                return try device.tensor(
                    pixels, [range.count, picture.height, picture.width, 3])
            }
            let values = try device.floats(latents)
            let frame = values.count / latents.shape[0] / perClip
            for channel in 0..<latents.shape[0] {
                let part = values[channel * perClip * frame..<(channel + 1) * perClip * frame]
                try writer.write(
                    Array(part), to: "pose",
                    at: (channel * poses.clips + clip) * perClip * frame)
            }
        }
    }

    private func monitor(_ what: String) -> Monitor {
        { [listener] in
            try listener(.progress("\(what), \($0.activity) \($0.completed) of \($0.total)"))
        }
    }
}
