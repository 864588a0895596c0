import Artifacts
import Media

/// Pictures in the order of time: a stream of frames, or any video that libav reads.
struct Film {
    /// Pictures a second.
    let framesPerSecond: Double
    /// Which frame of the sound the first picture shows: the decoder drops some, a video holds them.
    let firstFrame: Int
    private let source: Source

    private enum Source {
        case stream(StreamReader)
        case video(VideoReader)
    }

    /// Frames a second of a stream that does not say.
    private static let usualRate = 25.0

    /// Rates that can be those of a talking face.
    private static let rates = 1.0...1000

    /// Opens a film.
    ///
    /// Throws `ArtifactError` or `MediaError` if it is unfinished, unreadable or holds no pictures,
    /// `InspectionError` if it is a folder of several things or has an odd frame rate.
    init(_ subject: Subject) throws {
        switch subject.form {
        case .stream:
            let reader = try StreamReader(path: subject.path, kind: .frames)
            let description = reader.description
            framesPerSecond = description.framesPerSecond ?? Self.usualRate
            let frames = description.framesPerBlock ?? 0
            firstFrame = frames - (description.firstBlockFrames ?? frames)
            source = .stream(reader)
        case .file:
            let reader = try VideoReader(path: subject.path)
            framesPerSecond = reader.framesPerSecond
            firstFrame = 0
            source = .video(reader)
        case .folder:
            throw InspectionError(subject.path, "holds several files, --sync looks at one film")
        }
        guard Self.rates.contains(framesPerSecond) else {
            throw InspectionError(subject.path, "has \(framesPerSecond) frames a second")
        }
    }

    /// Calls `body` with each picture, one in memory at a time. Throws what reading and `body` throw.
    func forEachPicture(_ body: (Image) throws -> Void) throws {
        switch source {
        case .stream(let reader):
            var index = 0
            while let block = try reader.block(index) {
                let frames = try block.tensor(reader.description.tensorName)
                guard let shape = FrameShape(of: frames.descriptor), shape.content == .bytes else {
                    throw InspectionError(reader.path, "its frames are not 8-bit pictures")
                }
                for frame in 0..<shape.frames {
                    try body(Image(frame, of: frames, shape: shape))
                }
                index += 1
            }
        case .video(let reader):
            while let picture = try reader.next() { try body(picture) }
        }
    }
}
