import Foundation
import Media
import TestSupport
import Testing

/// Flashes and clicks at the same moments, muxed, demuxed and measured.
@Suite struct SyncTests {
    private let folder = TemporaryFolder()
    private let fps = 25
    private let seconds = 601
    /// Every so many seconds, at a frame's start: a white frame, and a click.
    private let period = 20

    private func makeVoice() throws -> String {
        let path = folder.path("clicks.wav")
        let rate = 16000
        try writeWave(count: seconds * rate, rate: rate, to: path) { index, _ in
            let phase = index % (period * rate)
            // 10 ms of 1 kHz.
            return phase < rate / 100 ? 0.8 * sin(2 * .pi * 1000 * Double(phase) / 16000) : 0
        }
        return path
    }

    private func makeFilm(_ layout: MovieOptions.Layout) throws -> String {
        let path = folder.path("sync.mp4")
        let size = FrameSize(height: 16, width: 16)
        var options = MovieOptions()
        options.preset = .ultrafast
        options.layout = layout
        let writer = try MovieWriter(
            path: path, size: size, sound: SoundTrack(paths: [makeVoice()]), options: options)
        let (black, white) = (plain(16, 16, (0, 0, 0)), plain(16, 16, (255, 255, 255)))
        for index in 0..<seconds * fps + 40 {
            guard try writer.append(index % (period * fps) == 0 ? white : black) else { break }
        }
        #expect(try writer.finish().frames == seconds * fps)
        return path
    }

    /// Seconds at which white frames are shown.
    private func flashes(_ path: String) throws -> (times: [Double], frames: Int) {
        let video = try VideoReader(path: path)
        var times: [Double] = []
        while let image = try video.next() {
            if image.values[0] > 128 { times.append(video.time ?? .nan) }
        }
        return (times, video.frameCount)
    }

    /// Seconds at which the sound rises above a fifth after a silence.
    private func clicks(_ path: String) throws -> (times: [Double], end: Double) {
        let sound = try SoundReader(path: path)
        var times: [Double] = []
        var index = 0
        var silence = Int.max / 2
        while let samples = try sound.next() {
            for value in samples.values {
                silence += 1
                if abs(value) > 0.2 {
                    if silence > sound.rate / 2 { times.append(Double(index) / Double(sound.rate)) }
                    silence = 0
                }
                index += 1
            }
        }
        let start = sound.startTime ?? .nan
        return (times.map { $0 + start }, start + Double(index) / Double(sound.rate))
    }

    /// Observed: 0.07 ms at most, from the first second to the tenth minute, in both layouts.
    @Test(arguments: [MovieOptions.Layout.faststart, .fragmented])
    func flashesWithTheClicks(layout: MovieOptions.Layout) throws {
        let path = try makeFilm(layout)
        let flashes = try flashes(path)
        let clicks = try clicks(path)
        #expect(flashes.frames == seconds * fps)
        #expect(flashes.times.count == 31)
        #expect(clicks.times.count == 31)
        for (index, (flash, click)) in zip(flashes.times, clicks.times).enumerated() {
            #expect(abs(flash - Double(index * period)) < 1e-3)
            #expect(abs(flash - click) < 0.002, "\(flash) \(click)")
        }
        #expect(abs(clicks.end - Double(seconds)) < 1e-3, "\(clicks.end)")
    }
}
