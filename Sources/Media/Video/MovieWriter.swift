import CLibAV
import Glibc
import Tensors

/// Frames and a voice into an MP4 of H.264 and AAC.
///
/// Frame k is shown from k / frame rate on, the sound from 0, and both end with the sound: the last
/// frame is the one during which it ends. If the frames end first, the sound ends with them. Frames
/// and sound go through the encoders as they come, so memory does not grow with the film, but for
/// the container's own index (about 5 kB for a second).
///
/// Pictures are BT.709, limited range, 4:2:0, and tagged so. The file grows as `NAME.partial` and
/// gets its name with `finish()`; one that is dropped before is removed.
public final class MovieWriter {
    /// What came of it.
    public struct Summary: Sendable, Equatable {
        /// Frames in the file, the held ones included.
        public let frames: Int
        /// Samples of sound in the file, at `soundRate`.
        public let samples: Int
        /// Samples per second; 0 without sound.
        public let soundRate: Int
        /// Whether the frames ended before the sound, which was cut there.
        public let isSoundCut: Bool
    }

    /// The final path.
    public let path: String
    /// Of every frame.
    public let size: FrameSize
    /// Frames written so far, the held ones included.
    public private(set) var frameCount = 0
    /// Whether the sound has ended, so that no frame is wanted any more.
    public private(set) var isComplete = false

    private let options: MovieOptions
    private let file: PartialFile
    private let muxer: Muxer
    private let pictures: PictureEncoder
    private let pictureStream: UnsafeMutablePointer<AVStream>
    private let track: SoundTrack?
    private var sound: (encoder: SoundEncoder, stream: UnsafeMutablePointer<AVStream>)?

    /// Microseconds of a fragment, while the film grows.
    private static let fragmentDuration = 500_000

    /// Opens the encoders and the file for frames of `size` and the voices' sound, if any.
    ///
    /// Throws `MediaError` or `SystemError`: for an odd size, a missing encoder, unreadable sound, or
    /// a file that cannot be written.
    public init(
        path: String, size: FrameSize, sound track: SoundTrack?,
        options: MovieOptions = MovieOptions()
    ) throws {
        self.path = path
        self.size = size
        self.options = options
        self.track = track
        pictures = try PictureEncoder(size: size, options: options, path: path)
        let soundEncoder = try track.map {
            try SoundEncoder(rate: $0.rate, channels: $0.channels, path: path)
        }
        file = try PartialFile(path: path)
        muxer = try Muxer(writing: file.partialPath, path: path)
        pictureStream = try muxer.addStream(of: pictures.encoder)
        pictureStream.pointee.avg_frame_rate = pictures.encoder.context.pointee.framerate
        if let soundEncoder {
            sound = (soundEncoder, try muxer.addStream(of: soundEncoder.encoder))
        }
        switch options.layout {
        case .faststart: try muxer.writeHeader(options: ["movflags": "+faststart"])
        case .fragmented:
            try muxer.writeHeader(options: [
                "movflags": "+delay_moov+default_base_moof",
                "frag_duration": String(Self.fragmentDuration), "flush_packets": "1",
            ])
        }
    }

    /// Appends frames, [n, height, width, 3] one after another; those that start after the sound's
    /// end are dropped. Returns whether more are wanted.
    ///
    /// Throws `MediaError`. Traps unless `frames` is whole frames.
    @discardableResult
    public func append(_ frames: UnsafeRawBufferPointer) throws(MediaError) -> Bool {
        let length = size.area * Image.channels
        precondition(frames.count.isMultiple(of: length), "the frames have another size")
        for start in stride(from: 0, to: frames.count, by: length) where !isComplete {
            guard let bytes = frames.baseAddress else { break }
            let pixels = (bytes + start).assumingMemoryBound(to: UInt8.self)
            let times = frameCount == 0 ? 1 + options.holdFirst : 1
            for _ in 0..<times { try append(pixels) }
        }
        return !isComplete
    }

    /// Appends one frame; see above.
    @discardableResult
    public func append(_ image: Image) throws(MediaError) -> Bool {
        precondition(FrameSize(height: image.height, width: image.width) == size)
        return try image.values.withUnsafeBufferPointer { values throws(MediaError) -> Bool in
            try append(UnsafeRawBufferPointer(values))
        }
    }

    private func append(_ pixels: UnsafePointer<UInt8>) throws(MediaError) {
        if try soundEnds(before: frameCount) {
            isComplete = true
            return
        }
        try pictures.encode(pixels, index: frameCount, deliver: writePicture)
        frameCount += 1
        try appendSound(until: frameCount)
    }

    /// Whether no sample falls into a frame.
    private func soundEnds(before frame: Int) throws(MediaError) -> Bool {
        guard let track else { return false }
        // If any is left, it lies after all that was taken, which reaches to the frame's start.
        return try track.available(1) == 0
            && options.frameRate.frames(covering: track.count, rate: track.rate) <= frame
    }

    private func appendSound(until frames: Int) throws(MediaError) {
        guard let track, let sound else { return }
        let samples = try track.next(
            options.frameRate.samples(in: frames, rate: track.rate) - track.count)
        try sound.encoder.encode(samples, deliver: writeSound)
    }

    private func writePicture(_ packet: Packet) throws(MediaError) {
        // libx264 leaves the duration open; the last frame of a film needs one.
        packet.pointer.pointee.duration = 1
        try muxer.write(
            packet, timeBase: pictures.encoder.context.pointee.time_base, to: pictureStream)
    }

    private func writeSound(_ packet: Packet) throws(MediaError) {
        guard let sound else { return }
        try muxer.write(
            packet, timeBase: sound.encoder.encoder.context.pointee.time_base, to: sound.stream)
    }

    /// Ends the film, lays it out for playing while it loads, and gives it its name.
    ///
    /// Throws `MediaError` or `SystemError`, as when the disk is full or no frame came.
    public func finish() throws -> Summary {
        guard frameCount > 0 else { throw MediaError("write", path, "there are no frames") }
        let isSoundCut = try !isComplete && (track?.available(1) ?? 0) > 0
        isComplete = true
        try pictures.finish(deliver: writePicture)
        try sound?.encoder.finish(deliver: writeSound)
        try muxer.finish()
        switch options.layout {
        case .faststart: try file.commit()
        case .fragmented: try replaceFragments()
        }
        return Summary(
            frames: frameCount, samples: track?.count ?? 0, soundRate: track?.rate ?? 0,
            isSoundCut: isSoundCut)
    }

    /// Copies the grown file into one with its index first, under the final name.
    private func replaceFragments() throws {
        let whole = try PartialFile(path: path + ".faststart")
        let soundLength = track.map { Double($0.count) / Double($0.rate) } ?? 0
        try Remuxer.copy(
            file.partialPath, to: whole.partialPath, soundLength: soundLength, path: path)
        try whole.commit()
        guard rename(whole.path, path) == 0 else { throw SystemError("rename", whole.path) }
        file.discard()
    }
}
