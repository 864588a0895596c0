import AudioEncoder
import Tensors
import TestSupport
import Testing

/// Which step of the model each video frame gets: exact, as the released code has it.
@Suite struct FrameScheduleTests {
    /// The tiny checkpoint's model: 50 steps a second of 400 samples.
    private let encoder: SpeechEncoder
    private let goldens: TensorFile

    init() throws {
        encoder = try TinySpeechModel.encoder()
        goldens = try TensorFile(path: Fixtures.path("open/goldens/audio_encoder.safetensors"))
    }

    @Test(
        arguments: [("speech_16k_mono", 20800), ("speech_44k_stereo", 33600)],
        [(25.0, 48), (16.0, 40)])
    func agreesWithTheReleasedCode(
        recording: (name: String, samples: Int), rate: (fps: Double, clipFrames: Int)
    ) throws {
        let schedule = try encoder.schedule(
            samples: recording.samples, fps: rate.fps, clipFrames: rate.clipFrames)
        let suffix = "fps\(Int(rate.fps))_f\(rate.clipFrames)"
        let clips = try goldens.tensor("\(recording.name).num_repeat_\(suffix)").doubles()[0]
        #expect(schedule.frames == Int(clips) * rate.clipFrames)

        let indices = try goldens.tensor("\(recording.name).indices_\(suffix)").doubles().map(
            Int.init)
        let resampled = Int(Double(schedule.steps) / 50 * 30)
        for (frame, index) in indices.enumerated() {
            // The golden table is from before features past the end are zeroed.
            let expected = index < resampled ? index : nil
            #expect(schedule.resampledIndex(ofFrame: frame) == expected, "frame \(frame)")
        }
        #expect(indices.count == schedule.frames)
    }

    @Test func countsSpeechFramesUpwards() throws {
        func speechFrames(_ samples: Int, _ fps: Double) throws -> Int {
            try encoder.schedule(samples: samples, fps: fps, clipFrames: 48).speechFrames
        }
        #expect(try speechFrames(16_000, 25) == 25)
        #expect(try speechFrames(16_001, 25) == 26)
        #expect(try speechFrames(47 * 640, 25) == 47)
        #expect(try speechFrames(16_000 * 3600, 25) == 90_000)
        #expect(try speechFrames(16_000, 29.97) == 30)
        // A count at the own rate of a resampled recording goes before.
        let counted = try encoder.schedule(
            samples: 48 * 640, fps: 25, clipFrames: 48, speechFrames: 49)
        #expect(counted.speechFrames == 49 && counted.frames == 96)
    }

    @Test func hasAsManyRowsAsTheSpeechHasFrames() throws {
        // The last 10 ms make no step, so that the released code would end with the clip before.
        let samples = 48 * 640 + 160
        let schedule = try encoder.schedule(samples: samples, fps: 25, clipFrames: 48)
        #expect(schedule.speechFrames == 49)
        #expect(schedule.frames == 96)
        #expect(schedule.position(ofFrame: 48) == nil)
        for samples in stride(from: 720, to: 200_000, by: 97) {
            let schedule = try encoder.schedule(samples: samples, fps: 25, clipFrames: 48)
            #expect(schedule.frames % 48 == 0)
            #expect(schedule.frames >= schedule.speechFrames)
        }
    }

    @Test(arguments: [12.0, 16, 23.976, 25, 30, 60])
    func placesFramesInOrderAndInside(fps: Double) throws {
        let schedule = try encoder.schedule(samples: 16_000 * 60, fps: fps, clipFrames: 12)
        var last = 0
        for frame in 0..<schedule.frames {
            guard let place = schedule.position(ofFrame: frame) else { continue }
            #expect(place.lower >= last && place.upper < schedule.steps)
            #expect(place.fraction >= 0 && place.fraction <= 1)
            let seconds = (Double(place.lower) + Double(place.fraction)) / 50
            #expect(abs(seconds - Double(frame) / fps) < 0.05)
            last = place.lower
        }
        #expect(last >= schedule.steps - 5)
    }

    @Test func refusesARecordingWithoutTwoSteps() throws {
        let error = #expect(throws: RecordingTooShort.self) {
            try encoder.schedule(samples: 719, fps: 25, clipFrames: 48)
        }
        #expect(
            "\(try #require(error))"
                == "the recording is too short: it has 719 samples at 16000 Hz, the model needs 720"
        )
        #expect(try encoder.schedule(samples: 720, fps: 25, clipFrames: 48).steps == 2)
    }
}
