import Foundation
import Media
import TestSupport
import Testing

@Suite struct SoundTests {
    let folder = TemporaryFolder()

    @Test func readsSpeechAtItsRateExactly() throws {
        let wave = try Waveform(path: Fixtures.path("open/inputs/speech_16k_mono.wav"))
        #expect(try wave.samples == goldenFloats("audio_encoder", "speech_16k_mono.load"))
        #expect(wave.sourceCount == 20800)
    }

    /// The goldens' table allows 5e-3 (relative 2e-3) for another resampler. Observed: 3.6e-7, 5.4e-7.
    @Test func resamplesAsTheReleasedCode() throws {
        let wave = try Waveform(path: Fixtures.path("open/inputs/speech_44k_stereo.wav"))
        let expected = try goldenFloats("audio_encoder", "speech_44k_stereo.load")
        let (largest, relative) = distance(wave.samples, expected)
        #expect(largest < 2e-6 && relative < 2e-6, "\(largest), relative \(relative)")
        #expect(wave.frameCount(at: FrameRate(25)) == 53)
    }

    /// A tone keeps its amplitude and phase from any rate; the length is rounded up.
    @Test(arguments: [8000, 11025, 12000, 22050, 32000, 44100, 48000, 96000, 192_000, 37123])
    func resamplesAToneFromAnyRate(rate: Int) throws {
        let path = folder.path("tone.wav")
        let count = rate + 17
        try writeWave(count: count, rate: rate, to: path) { index, _ in
            0.5 * sin(2 * .pi * 440 * Double(index) / Double(rate))
        }
        let wave = try Waveform(path: path)
        #expect(wave.samples.count == (count * 16000 + rate - 1) / rate)
        let expected = wave.samples.indices.map {
            Float(0.5 * sin(2 * .pi * 440 * Double($0) / 16000))
        }
        let inner = 800..<15000
        #expect(distance(Array(wave.samples[inner]), Array(expected[inner])).largest < 1e-4)
    }

    @Test func reads8BitMonoAt8kHz() throws {
        let path = folder.path("phone.wav")
        let data = Data((0..<8000).map { UInt8(128 + 64 * sin(Double($0) / 10)) })
        try writeWave(data, rate: 8000, channels: 1, bits: 8, to: path)
        let wave = try Waveform(path: path)
        #expect(wave.samples.count == 16000)
        #expect(wave.sourceRate == 8000)
        #expect((0.48...0.52).contains(wave.samples[1000..<15000].max() ?? 0))
    }

    @Test func hearsTheMeanOf7Channels() throws {
        let path = folder.path("seven.wav")
        try writeWave(count: 1600, rate: 16000, channels: 7, to: path) { _, channel in
            Double(channel) / 8
        }
        let wave = try Waveform(path: path)
        #expect(wave.samples.count == 1600)
        #expect(wave.samples.allSatisfy { abs($0 - 3.0 / 8) < 1e-4 })
    }

    /// Lossy formats keep the tone, within 12%, and its length, but for libav's Vorbis, which leaves
    /// out 128 samples. Opus is 48 kHz always.
    @Test(arguments: ["tone.flac", "tone.mp3", "tone.m4a", "tone.ogg", "tone.opus"])
    func readsWhatPeopleSend(name: String) throws {
        let wave = try Waveform(path: media(name))
        let missing = name == "tone.ogg" ? 128 : 0
        #expect(wave.sourceCount == wave.sourceRate - missing, "\(wave.sourceCount)")
        let expected = (0..<16000).map { Float(0.5 * sin(2 * .pi * 440 * Double($0) / 16000)) }
        let inner = 2000..<14000
        let error = distance(Array(wave.samples[inner]), Array(expected[inner])).relative
        #expect(error < 0.12, "\(name): \(error)")
    }

    @Test func readsAVoiceOf50Milliseconds() throws {
        let path = folder.path("short.wav")
        try writeWave(count: 2205, rate: 44100, to: path) { index, _ in sin(Double(index)) }
        #expect(try Waveform(path: path).samples.count == 800)
    }

    @Test func stopsWhenProgressThrows() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            _ = try Waveform(path: media("tone.flac")) { _ in throw Stop() }
        }
    }

    @Test func readsSoundFromAFilmAndStretches() throws {
        let reader = try SoundReader(path: media("tone.m4a"), rate: 16000)
        var count = 0
        while let samples = try reader.next() {
            #expect(samples.channels == 1)
            #expect(samples.count < 8192)
            count += samples.count
        }
        #expect(count == 16000)
        #expect(reader.sourceChannels == 2)
    }

    @Test func mixesVoicesToTheShortest() throws {
        let (one, two) = (folder.path("one.wav"), folder.path("two.wav"))
        try writeWave(count: 4800, rate: 48000, to: one) { _, _ in 0.5 }
        try writeWave(count: 9600, rate: 48000, channels: 2, to: two) { _, channel in
            channel == 0 ? 0.25 : -0.25
        }
        let track = try SoundTrack(paths: [one, two])
        #expect(track.channels == 2)
        #expect(track.rate == 48000)
        let samples = try track.next(100_000)
        #expect(samples.count == 4800)
        #expect(samples[0].allSatisfy { abs($0 - 0.375) < 1e-4 })
        #expect(samples[1].allSatisfy { abs($0 - 0.125) < 1e-4 })
        #expect(try track.next(1).count == 0)
    }
}

@Suite struct BadSoundTests {
    let folder = TemporaryFolder()

    private func messageReading(_ bytes: [UInt8], _ name: String) throws -> String {
        let path = folder.path(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return message { _ = try Waveform(path: path) }
    }

    @Test func refusesWhatIsNoFile() {
        #expect(
            message { _ = try Waveform(path: folder.path("missing.wav")) }
                .hasSuffix("missing.wav': No such file or directory"))
        #expect(message { _ = try Waveform(path: folder.path) }.hasSuffix("': Is a directory"))
    }

    @Test func refusesEmptyAndForeignFiles() throws {
        #expect(try messageReading([], "empty.wav").hasSuffix("empty.wav': the file is empty"))
        let text = try messageReading(Array("not a sound, only some text\n".utf8), "text.wav")
        #expect(text.hasSuffix("text.wav': no sound or video that libav knows, or damaged"))
    }

    @Test func refusesSoundWithoutSamples() throws {
        let path = folder.path("silent.wav")
        try writeWave(Data(), rate: 16000, channels: 1, bits: 16, to: path)
        let text = message { _ = try Waveform(path: path) }
        #expect(text == "cannot read '\(path)': its sound is empty", "\(text)")
    }

    @Test func refusesAPictureAsAVoice() {
        let text = message { _ = try Waveform(path: media("420.jpg")) }
        #expect(text.hasSuffix("420.jpg': the file has no sound"))
    }

    /// Damage anywhere gives sound or an error, never a crash. Half a file gives what there is,
    /// unless its container is one piece: an MP4 with its index at the end, a single Ogg page.
    @Test(arguments: ["tone.mp3", "tone.m4a", "tone.ogg", "tone.opus", "tone.flac"])
    func survivesDamage(name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: media(name))))
        for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60)) {
            var damaged = bytes
            damaged[index] ^= 0x55
            let text = try messageReading(damaged, "damaged-" + name)
            #expect(text == "no error" || text.hasPrefix("cannot "), "\(index): \(text)")
        }
        let text = try messageReading(Array(bytes.prefix(bytes.count / 2)), "half-" + name)
        let isOnePiece = ["tone.m4a", "tone.ogg", "tone.opus"].contains(name)
        #expect((text == "no error") != isOnePiece, "\(text)")
    }

    /// A list of other files, local or not, opens none of them.
    @Test func opensNoOtherFileThanTheNamed() throws {
        let tone = media("tone.flac")
        let list = "ffconcat version 1.0\nfile '\(tone)'\n"
        #expect(try messageReading(Array(list.utf8), "list.ffconcat").hasPrefix("cannot read '"))
        let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n\(tone)\n#EXT-X-ENDLIST\n"
        #expect(try messageReading(Array(playlist.utf8), "list.m3u8").hasPrefix("cannot read '"))
    }

    @Test func takesAPathForAPath() throws {
        let path = folder.path("http:tone.wav")
        try writeWave(count: 160, rate: 16000, to: path) { _, _ in 0.5 }
        #expect(try Waveform(path: path).samples.count == 160)
    }
}
