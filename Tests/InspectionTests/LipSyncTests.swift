import Artifacts
import Foundation
import Inspection
import Media
import TestSupport
import Testing

/// Mouths drawn to follow a sound, or not.
@Suite struct LipSyncTests {
    let folder = TemporaryFolder()

    /// A stream's first picture shows frame 3 of the sound, as behind the decoder.
    @Test(arguments: [0, 2, -1])
    func findsHowLateAMouthIs(lag: Int) throws {
        try SpokenSound().write(to: folder.path("voice.wav"))
        try DrawnMouth(lag: lag).write(to: folder.path("frames"))
        let sync = try measure("frames", with: "voice.wav")
        #expect(sync.frames == 100 - 3)
        for part in [sync.whole, sync.first, sync.last] {
            #expect(part.lag == lag)
            #expect(part.bestCorrelation > 0.97)
        }
        #expect((sync.whole.correlation > 0.97) == (lag == 0))
    }

    @Test func anotherSoundIsNotFollowed() throws {
        try SpokenSound(phase: 40).write(to: folder.path("other.wav"))
        try DrawnMouth().write(to: folder.path("frames"))
        #expect(abs(try measure("frames", with: "other.wav").whole.correlation) < 0.3)
    }

    @Test func looksAtFilmsToo() throws {
        try SpokenSound().write(to: folder.path("voice.wav"))
        let movie = try MovieWriter(
            path: folder.path("film.mp4"),
            size: FrameSize(height: DrawnMouth.side, width: DrawnMouth.side),
            sound: SoundTrack(paths: [folder.path("voice.wav")]))
        for frame in 0..<100 { try movie.append(DrawnMouth(lag: 1).picture(frame)) }
        _ = try movie.finish()
        let sync = try measure("film.mp4", with: "voice.wav")
        #expect(sync.frames == 100)
        #expect(sync.whole.lag == 1)
        #expect(sync.whole.bestCorrelation > 0.97)
    }

    @Test func tellsFadingAndBlurring() throws {
        try SpokenSound().write(to: folder.path("voice.wav"))
        try DrawnMouth(fadesAt: 50).write(to: folder.path("frames"))
        let sync = try measure("frames", with: "voice.wav")
        #expect(sync.first.colourChange < 3)
        #expect(abs(sync.last.colourChange - Double(DrawnMouth.fading)) < 3)
        #expect(sync.last.sharpness < 0.5 * sync.first.sharpness)
        #expect(sync.last.correlation > 0.97)
    }

    @Test func refusesWhatIsNoFilm() throws {
        try SpokenSound(frames: 20).write(to: folder.path("short.wav"))
        try DrawnMouth().write(to: folder.path("frames"))
        let frames = folder.path("frames")
        #expect(
            message { try measure("frames", with: "short.wav") }
                == "'\(frames)': shows 17 frames of the sound, too few to compare")
        #expect(message { try measure("frames", with: "none.wav") }?.contains("none.wav") == true)
        let weights = Fixtures.path("open/ckpt")
        #expect(
            message { try LipSync(of: Subject(path: weights), with: folder.path("short.wav")) }
                == "'\(weights)': holds several files, --sync looks at one film")
    }

    @Test func printsATableAndJSON() throws {
        try SpokenSound().write(to: folder.path("voice.wav"))
        try DrawnMouth().write(to: folder.path("frames"))
        let sync = try measure("frames", with: "voice.wav")
        let lines = sync.text.split(separator: "\n")
        #expect(lines.count == 7)
        #expect(lines[0].hasPrefix("97 frames, 3.9 s"))
        #expect(lines[3].split(separator: " ").suffix(3) == ["0", "0", "0"])
        let object = try JSONSerialization.jsonObject(with: Data(Report.line(sync).utf8))
        let whole = (object as? [String: Any])?["whole"] as? [String: Any]
        #expect(whole?["lag"] as? Int == 0)
        let best = try #require(whole?["best_correlation"] as? Double)
        #expect(abs(best - sync.whole.bestCorrelation) < 1e-12)
    }

    private func measure(_ film: String, with voice: String) throws -> LipSync {
        try LipSync(of: Subject(path: folder.path(film)), with: folder.path(voice))
    }
}

/// How loud it is at a frame, 0...1: never the same for long.
private func level(_ frame: Double) -> Double {
    0.5 + 0.2 * sin(0.9 * frame) + 0.2 * sin(0.37 * frame + 1) + 0.1 * sin(1.7 * frame + 2)
}

/// A tone as loud as `level` says, 25 frames a second.
private struct SpokenSound {
    var frames = 100
    /// Frames of `level` that are left out.
    var phase = 0.0

    /// Writes it as 16-bit samples.
    func write(to path: String) throws {
        let rate = 16_000
        let hop = rate / 25
        var file = Data("RIFF".utf8)
        func number(_ value: Int, _ size: Int) {
            for byte in 0..<size { file.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
        }
        number(36 + 2 * frames * hop, 4)
        file += Data("WAVEfmt ".utf8)
        for (value, size) in [(16, 4), (1, 2), (1, 2), (rate, 4), (2 * rate, 4), (2, 2), (16, 2)] {
            number(value, size)
        }
        file += Data("data".utf8)
        number(2 * frames * hop, 4)
        for sample in 0..<frames * hop {
            let tone = sin(2 * .pi * 400 * Double(sample) / Double(rate))
            number(Int(30_000 * tone * level(Double(sample) / Double(hop) + phase)), 2)
        }
        try file.write(to: URL(fileURLWithPath: path))
    }
}

/// A face of stripes with a mouth as open as `level` says.
private struct DrawnMouth {
    /// Rows and columns.
    static let side = 64
    /// Grey levels by which it becomes lighter.
    static let fading: UInt8 = 20

    /// Frames by which the mouth is late.
    var lag = 0
    /// The frame from which it is lighter and has no stripes.
    var fadesAt = Int.max

    /// The picture at a frame of the sound.
    func picture(_ frame: Int) -> Image {
        let rows = 12 * level(Double(frame - lag))
        let values = (0..<Self.side * Self.side).flatMap { index -> [UInt8] in
            let (y, x) = index.quotientAndRemainder(dividingBy: Self.side)
            let cover = min(1, max(0, rows - Double(abs(y - 40)))) * (abs(x - 32) < 8 ? 1 : 0)
            let stripe: UInt8 = x.isMultiple(of: 2) ? 196 : 204
            let skin = frame < fadesAt ? stripe : 200 + Self.fading
            return [UInt8(70), 16, 24].map {
                UInt8(Double($0) * cover + Double(skin) * (1 - cover))
            }
        }
        return Image(height: Self.side, width: Self.side, values: values)
    }

    /// Writes 100 frames less the first three as a stream: blocks of 12 and a shorter first and last one.
    func write(to path: String) throws {
        var description = StreamDescription(
            kind: .frames, blockShape: [12, Self.side, Self.side, 3], dataType: .uint8)
        description.framesPerBlock = 12
        description.firstBlockFrames = 9
        description.framesPerSecond = 25
        let blocks = 9
        description.blocks = blocks
        let writer = try StreamWriter(path: path, description: description)
        for block in 0..<blocks {
            try writer.write(block) { file in
                let frames = max(3, 12 * block)..<12 * (block + 1)
                try frames.flatMap { picture($0).values }.withUnsafeBytes {
                    try file.write($0, to: "frames")
                }
            }
        }
        try writer.finish()
    }
}
