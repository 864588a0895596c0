import Artifacts
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct ConditionTests {
    let folder = TemporaryFolder()
    let provenance = Provenance(
        tool: "encode-text", toolVersion: "0.1.0", options: ["output-type": "f32"],
        inputs: [.weights("/disk/W/Wan", digest: "ab12")])

    /// Writes a file as somebody else might.
    func foreign(
        _ name: String, _ tensors: [(String, DataType, Shape)], _ metadata: [String: String]
    ) throws -> String {
        let path = folder.path(name)
        try TensorFileWriter(
            path: path,
            tensors: tensors.map { TensorDescriptor(name: $0.0, dataType: $0.1, shape: $0.2) },
            metadata: metadata
        ).commit()
        return path
    }

    @Test func textGoesRound() throws {
        let path = folder.path("text.safetensors")
        let writer = try TextCondition.create(
            path: path, tokens: 2, width: 3, provenance: provenance)
        try [Float(1), 2, 3, 4, 5, 6].withUnsafeBytes { try writer.write($0, to: "context") }
        try writer.commit()

        let text = try TextCondition(path: path, width: 3, tokenLimit: 2)
        #expect(text.context.floats() == [1, 2, 3, 4, 5, 6])
        #expect(text.provenance == provenance)
        let metadata = try TensorFile(path: path).metadata
        #expect(metadata["kind"] == "text-condition")
        #expect(metadata["version"] == "1")
        #expect(metadata["tool"] == "encode-text")
        #expect(metadata["tool_version"] == "0.1.0")
        #expect(metadata["options"] == #"{"output-type":"f32"}"#)
        #expect(
            metadata["inputs"] == #"[{"headers_sha256":"ab12","name":"Wan","role":"weights"}]"#)
        #expect(
            message { try TextCondition(path: path, tokenLimit: 1) }
                == "cannot read '\(path)': tensor 'context' has 2 tokens, the model takes at most 1"
        )
    }

    @Test func aForeignFileOpensAndWhatItLacksIsUnknown() throws {
        let path = try foreign(
            "audio.safetensors", [("features", .bfloat16, [96, 25, 8])],
            ["kind": "audio-condition"])
        let audio = try AudioCondition(path: path, layers: 25, width: 8)
        #expect(audio.provenance == nil)
        #expect(audio.timing.framesPerSecond == nil)
        #expect(audio.timing.blocks(ofFrames: 12) == nil)
    }

    @Test func audioGoesRound() throws {
        let path = folder.path("audio.safetensors")
        let timing = AudioCondition.Timing(
            framesPerSecond: 25, clipFrames: 48, speechFrames: 49)
        try AudioCondition.create(
            path: path, frames: 96, layers: 4, width: 2, timing: timing, provenance: provenance
        ).commit()
        let audio = try AudioCondition(path: path)
        #expect(audio.timing == timing)
        #expect(audio.timing.blocks(ofFrames: 12) == 5)
        let metadata = try TensorFile(path: path).metadata
        #expect(metadata["fps"] == "25")
        #expect(metadata["clip_frames"] == "48")
        #expect(metadata["speech_frames"] == "49")
        #expect(
            message { try AudioCondition(path: path, layers: 25) }
                == "cannot read '\(path)': tensor 'features' has 4 layers, the model needs 25")
    }

    @Test(arguments: [
        ([:], "has no 'kind' in its metadata, expected 'audio-condition'"),
        (["kind": "reference"], "is a 'reference' file, expected 'audio-condition'"),
        (
            ["kind": "audio-condition", "version": "2"],
            "has version 2 of its format, newer than 1, the newest known"
        ),
        (["kind": "audio-condition", "version": "x"], "has the malformed version 'x'"),
        (
            ["kind": "audio-condition", "fps": "fast"],
            "metadata 'fps' is 'fast', not a number above 0"
        ),
        (
            ["kind": "audio-condition", "clip_frames": "40"],
            "tensor 'features' has 96 frames, which are no whole clips of 40"
        ),
        (
            ["kind": "audio-condition", "speech_frames": "97"],
            "tensor 'features' has 96 frames, the metadata tells of 97 with speech"
        ),
    ])
    func refuses(_ metadata: [String: String], _ reason: String) throws {
        let path = try foreign(
            "audio.safetensors", [("features", .float32, [96, 2, 2])], metadata)
        #expect(message { try AudioCondition(path: path) } == "cannot read '\(path)': \(reason)")
    }

    @Test func refusesTensorsOfOtherRankTypeOrNone() throws {
        let kind = ["kind": "text-condition"]
        let flat = try foreign("a", [("context", .float32, [6])], kind)
        #expect(
            message { try TextCondition(path: flat, width: 3) }
                == "cannot read '\(flat)': tensor 'context' has the shape [6], expected [tokens, 3]"
        )
        let whole = try foreign("b", [("context", .int32, [2, 3])], kind)
        #expect(
            message { try TextCondition(path: whole) }
                == "cannot read '\(whole)': tensor 'context' is int32, expected bfloat16 or float32"
        )
        let empty = try foreign("c", [("context", .float32, [0, 3])], kind)
        #expect(
            message { try TextCondition(path: empty) }
                == "cannot read '\(empty)': tensor 'context' has no tokens")
        let other = try foreign("d", [("contexts", .float32, [2, 3])], kind)
        #expect(
            message { try TextCondition(path: other) }
                == "cannot read '\(other)': tensor 'context' is missing")
    }

    @Test func referenceGoesRound() throws {
        let path = folder.path("reference.safetensors")
        let framing = Framing(
            image: .init(width: 720, height: 1280), scaled: .init(width: 64, height: 113),
            crop: .init(x: 0, y: 8, size: .init(width: 64, height: 96)),
            padding: .init(top: 11, bottom: 21))
        try Reference.create(
            path: path,
            layout: .init(
                channels: 16, height: 16, width: 8, motionFrames: 19, poseFrames: 24,
                mask: .init(actors: 2, frames: 3)),
            type: .bfloat16, framing: framing, provenance: provenance
        ).commit()
        let reference = try Reference(
            path: path, needs: .init(channels: 16, motionFrames: 19, actors: 2, maskFrames: 3))
        #expect(reference.reference.shape == [16, 1, 16, 8])
        #expect(reference.motion.shape == [16, 19, 16, 8])
        #expect(reference.pose?.shape == [16, 24, 16, 8])
        #expect(reference.mask?.shape == [2, 3, 8, 4])
        #expect(reference.framing == framing)
        #expect(framing.frame == .init(width: 64, height: 128))
        let metadata = try TensorFile(path: path).metadata
        #expect(metadata["image_size"] == "720x1280")
        #expect(metadata["crop"] == "0,8,64x96")
        #expect(metadata["padding"] == "0,11,0,21")
        #expect(
            message { try Reference(path: path, needs: .init(motionFrames: 20)) }
                == "cannot read '\(path)': tensor 'motion' has 19 latent frames, the model needs 20"
        )
        #expect(
            message { try Reference(path: path, needs: .init(actors: 3)) }
                == "cannot read '\(path)': tensor 'mask' has 2 actors, the voices are 3")
    }

    @Test func referenceTensorsMustFitEachOther() throws {
        let kind = ["kind": "reference", "crop": "nonsense"]
        let good: [(String, DataType, Shape)] = [
            ("reference", .float32, [16, 1, 8, 16]), ("motion", .float32, [16, 19, 8, 16]),
        ]
        let path = try foreign("r", good, kind)
        #expect(try Reference(path: path).framing == nil)
        #expect(
            message { try Reference(path: path, needs: .init(actors: 2)) }
                == "cannot read '\(path)': tensor 'mask' is missing")
        let wide = try foreign("w", [good[0], ("motion", .float32, [16, 19, 8, 18])], kind)
        #expect(
            message { try Reference(path: wide) }
                == "cannot read '\(wide)': tensor 'motion' has 18 columns, 'reference' has 16")
        let mask = try foreign("m", good + [("mask", .float32, [2, 3, 8, 16])], kind)
        #expect(
            message { try Reference(path: mask) }
                == "cannot read '\(mask)': tensor 'mask' has 8 rows, half of 'reference' is 4")
        let thin = try foreign("t", good + [("mask", .float32, [2, 2, 4, 8])], kind)
        #expect(
            message { try Reference(path: thin, needs: .init(maskFrames: 3)) }
                == "cannot read '\(thin)': tensor 'mask' has 2 latent frames, a block has 3")
    }

    @Test func replayGoesRound() throws {
        let path = folder.path("replay.safetensors")
        try Replay.create(
            path: path, noise: [2, 16, 12, 8, 16], sinkDistance: [2, 4, 4], provenance: provenance
        ).commit()
        #expect(try Replay(path: path, latent: [16, 8, 16], steps: 4).clips == 2)
        #expect(
            message { try Replay(path: path, steps: 3) }
                == "cannot read '\(path)': tensor 'sink_distance' has 4 steps, the run has 3")
        #expect(
            message { try Replay(path: path, latent: [16, 8, 18]) }
                == "cannot read '\(path)': tensor 'noise' has 16 columns, the run has 18")
    }
}
