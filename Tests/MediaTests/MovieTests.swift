import Foundation
import Media
import Tensors
import TestSupport
import Testing

/// The sound and pictures of a film as a player would get them.
struct PlayedFilm {
    var images: [Image] = []
    var times: [Double] = []
    var sound: [Float] = []
    var soundRate = 0

    init(path: String) throws {
        let video = try VideoReader(path: path)
        while let image = try video.next() {
            images.append(image)
            times.append(video.time ?? .nan)
        }
        guard let reader = try? SoundReader(path: path) else { return }
        soundRate = reader.rate
        while let samples = try reader.next() { sound += samples.values }
        // A film that still grows gives its encoder's delay too, at times before 0.
        let start = Int(((reader.startTime ?? 0) * Double(soundRate)).rounded())
        sound.removeFirst(max(0, -start))
        sound.insert(contentsOf: [Float](repeating: 0, count: max(0, start)), at: 0)
    }
}

@Suite struct MovieTests {
    let folder = TemporaryFolder()
    let size = FrameSize(height: 32, width: 48)

    private func voice(_ count: Int, rate: Int = 16000, channels: Int = 1) throws -> SoundTrack {
        let path = folder.path("voice-\(count)-\(rate)-\(channels).wav")
        try writeWave(count: count, rate: rate, channels: channels, to: path) { index, _ in
            0.4 * sin(2 * .pi * 300 * Double(index) / Double(rate))
        }
        return try SoundTrack(paths: [path])
    }

    private func options(_ layout: MovieOptions.Layout = .faststart) -> MovieOptions {
        var options = MovieOptions()
        options.preset = .ultrafast
        options.layout = layout
        return options
    }

    /// A frame whose brightness tells its number.
    private func numbered(_ index: Int) -> Image {
        let level = UInt8(20 + index * 8 % 220)
        return plain(size.height, size.width, (level, level, level))
    }

    /// "medium" reorders frames, "ultrafast" does not.
    @Test(
        arguments: [MovieOptions.Layout.faststart, .fragmented],
        [MovieOptions.Preset.ultrafast, .medium])
    func keepsEveryFrameInItsPlace(
        layout: MovieOptions.Layout, preset: MovieOptions.Preset
    ) throws {
        var options = options(layout)
        options.preset = preset
        let path = folder.path("film.mp4")
        // 24.2 frames of speech: the 25th frame is begun.
        let writer = try MovieWriter(
            path: path, size: size, sound: voice(15488), options: options)
        for index in 0..<36 { try writer.append(numbered(index)) }
        #expect(writer.isComplete)
        let summary = try writer.finish()
        #expect(summary.frames == 25)
        #expect(summary.samples == 46464)
        #expect(!summary.isSoundCut)

        let film = try PlayedFilm(path: path)
        #expect(film.images.count == 25)
        for (index, image) in film.images.enumerated() {
            #expect(abs(film.times[index] - Double(index) / 25) < 1e-6)
            #expect(difference(image, numbered(index)).largest <= 3)
        }
        #expect(film.soundRate == 48000)
        #expect(film.sound.count == 46464)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }

    @Test func holdsTheFirstFrame() throws {
        let path = folder.path("held.mp4")
        var options = options()
        options.holdFirst = 3
        let writer = try MovieWriter(
            path: path, size: size, sound: voice(16000), options: options)
        for index in 0..<30 { try writer.append(numbered(index)) }
        #expect(try writer.finish().frames == 25)
        let film = try PlayedFilm(path: path)
        for (index, image) in film.images.enumerated() {
            #expect(difference(image, numbered(max(0, index - 3))).largest <= 3)
        }
    }

    @Test func cutsTheSoundWithTheFrames() throws {
        let path = folder.path("cut.mp4")
        let writer = try MovieWriter(
            path: path, size: size, sound: voice(44100, rate: 44100, channels: 2),
            options: options())
        for index in 0..<10 { #expect(try writer.append(numbered(index))) }
        let summary = try writer.finish()
        #expect(summary.frames == 10)
        #expect(summary.samples == 17640)
        #expect(summary.soundRate == 44100)
        #expect(summary.isSoundCut)
        #expect(try PlayedFilm(path: path).sound.count == 17640)
    }

    @Test func showsAVoiceOf50Milliseconds() throws {
        let path = folder.path("short.mp4")
        let writer = try MovieWriter(
            path: path, size: size, sound: voice(2205, rate: 44100), options: options())
        for index in 0..<12 { try writer.append(numbered(index)) }
        #expect(try writer.finish().frames == 2)
        let film = try PlayedFilm(path: path)
        #expect(film.images.count == 2)
        #expect(film.sound.count == 2205)
    }

    @Test func worksWithoutSound() throws {
        let path = folder.path("silent.mp4")
        let writer = try MovieWriter(path: path, size: size, sound: nil, options: options())
        for index in 0..<5 { try writer.append(numbered(index)) }
        #expect(try writer.finish().frames == 5)
        #expect(try PlayedFilm(path: path).images.count == 5)
    }

    /// 128 is what limited range and halved chroma cannot blur in a plain frame.
    @Test(arguments: [
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128),
        (200, 120, 90),
    ])
    func keepsColours(red: UInt8, green: UInt8, blue: UInt8) throws {
        let path = folder.path("colour.mp4")
        let writer = try MovieWriter(path: path, size: size, sound: nil, options: options())
        let image = plain(size.height, size.width, (red, green, blue))
        for _ in 0..<3 { try writer.append(image) }
        _ = try writer.finish()
        let reader = try VideoReader(path: path)
        while let decoded = try reader.next() {
            let (largest, _) = difference(decoded, image)
            #expect(largest <= 3, "\(largest)")
        }
        let tags = try #require(reader.colourTags)
        #expect(tags == (1, 1, 1, true))
    }

    @Test func writesTheSameBytesAgain() throws {
        func film(_ name: String) throws -> Data {
            let writer = try MovieWriter(
                path: folder.path(name), size: size, sound: voice(16000), options: options())
            for index in 0..<25 { try writer.append(numbered(index)) }
            _ = try writer.finish()
            return try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
        }
        #expect(try film("one.mp4") == film("two.mp4"))
    }

    @Test func putsTheIndexFirst() throws {
        for layout in [MovieOptions.Layout.faststart, .fragmented] {
            let path = folder.path("fast.mp4")
            let writer = try MovieWriter(
                path: path, size: size, sound: voice(16000), options: options(layout))
            for index in 0..<25 { try writer.append(numbered(index)) }
            _ = try writer.finish()
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let index = try #require(bytes.range(of: Data("moov".utf8)))
            let data = try #require(bytes.range(of: Data("mdat".utf8)))
            #expect(index.lowerBound < data.lowerBound)
            #expect(bytes.range(of: Data("moof".utf8)) == nil)
        }
    }

    @Test func growsWatchably() throws {
        let path = folder.path("grows.mp4")
        let writer = try MovieWriter(
            path: path, size: size, sound: voice(160_000), options: options(.fragmented))
        for index in 0..<125 { try writer.append(numbered(index)) }
        // A copy of what a player finds while the film grows.
        let partial = folder.path("seen.mp4")
        try FileManager.default.copyItem(atPath: path + ".partial", toPath: partial)
        #expect(!FileManager.default.fileExists(atPath: path))
        let film = try PlayedFilm(path: partial)
        #expect(film.images.count >= 60, "\(film.images.count)")
        #expect(film.sound.count >= 2 * 48000)
        for (index, image) in film.images.enumerated() {
            #expect(abs(film.times[index] - Double(index) / 25) < 1e-6)
            #expect(difference(image, numbered(index)).largest <= 3)
        }
        #expect(try writer.finish().frames == 125)
    }

    @Test func leavesNothingHalfWritten() throws {
        let path = folder.path("dropped.mp4")
        do {
            let writer = try MovieWriter(path: path, size: size, sound: nil, options: options())
            try writer.append(numbered(0))
            #expect(FileManager.default.fileExists(atPath: path + ".partial"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func refusesWhatCannotBe() throws {
        let odd = FrameSize(height: 33, width: 48)
        let path = folder.path("bad.mp4")
        #expect(
            message { _ = try MovieWriter(path: path, size: odd, sound: nil) }
                == "cannot write '\(path)': 4:2:0 video has an even width and height, "
                + "the frames are 48x33")
        let nowhere = folder.path("no/such/folder.mp4")
        #expect(
            message { _ = try MovieWriter(path: nowhere, size: size, sound: nil) }
                .hasSuffix("': No such file or directory"))
        let empty = try MovieWriter(path: path, size: size, sound: nil)
        #expect(
            message { _ = try empty.finish() } == "cannot write '\(path)': there are no frames")
    }
}

@Suite struct VideoReaderTests {
    private struct IndexCase: Decodable {
        let totalFrames: Int
        let fps: Double
        let limit: Int
        let targetFPS: Double
        let isFromStart: Bool
        let indices: [Int]

        private enum CodingKeys: String, CodingKey {
            case fps, indices
            case totalFrames = "total_frames"
            case limit = "n_frames"
            case targetFPS = "target_fps"
            case isFromStart = "reverse"
        }
    }

    @Test func choosesTheGoldenPoses() throws {
        let path = Fixtures.path("open/goldens/pose_frame_indices.json")
        let cases = try JSONDecoder().decode(
            [IndexCase].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(cases.count == 8)
        for entry in cases {
            let indices = VideoReader.poseIndices(
                frames: entry.totalFrames, framesPerSecond: entry.fps, limit: entry.limit,
                targetRate: entry.targetFPS, fromStart: entry.isFromStart)
            #expect(indices == entry.indices)
        }
    }

    @Test(arguments: [(25, 40), (50, 20), (60, 20), (30, 40)])
    func readsPosesFromTheStart(rate: Int, expected: Int) throws {
        let folder = TemporaryFolder()
        let path = folder.path("pose.mp4")
        var options = MovieOptions()
        options.preset = .ultrafast
        options.frameRate = FrameRate(rate)
        let writer = try MovieWriter(
            path: path, size: FrameSize(height: 16, width: 16), sound: nil, options: options)
        for index in 0..<40 {
            let level = UInt8(20 + 5 * index)
            try writer.append(plain(16, 16, (level, level, level)))
        }
        _ = try writer.finish()
        let reader = try VideoReader(path: path)
        #expect(reader.framesPerSecond == Double(rate))
        let indices = VideoReader.poseIndices(
            frames: 40, framesPerSecond: Double(rate), limit: 1000, targetRate: 25)
        let count = try reader.forEachPose(limit: 1000, targetRate: 25) { pose, image in
            #expect(abs(Int(image.values[0]) - (20 + 5 * indices[pose])) <= 2)
        }
        #expect(count == expected)
        #expect(try VideoReader(path: path).forEachPose(limit: 7, targetRate: 25) { _, _ in } == 7)
    }

    /// The file holds red above blue, to be turned counter-clockwise: red comes to stand left of
    /// blue, as ffmpeg shows it.
    @Test func turnsAFilmUpright() throws {
        let reader = try VideoReader(path: media("rotated.mp4"))
        let image = try #require(try reader.next())
        #expect((image.height, image.width) == (48, 32))
        func pixel(_ y: Int, _ x: Int) -> [UInt8] {
            Array(image.values[(y * image.width + x) * 3..<(y * image.width + x) * 3 + 3])
        }
        #expect(pixel(24, 4)[0] > 180 && pixel(24, 4)[2] < 20)
        #expect(pixel(24, 28)[2] > 180 && pixel(24, 28)[0] < 20)
    }

    @Test func refusesSound() {
        #expect(
            message { _ = try VideoReader(path: media("tone.flac")) }
                .hasSuffix("tone.flac': the file has no video"))
    }
}
