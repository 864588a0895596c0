import Artifacts
import Foundation
import StreamProbe
import TestSupport
import Testing

@Suite struct StreamDescriptionTests {
    let folder = TemporaryFolder()

    /// Reads a `stream.json` of this text.
    func read(_ text: String) throws -> StreamDescription {
        let path = folder.path("stream.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try StreamFolder(path: folder.path).description()
    }

    @Test func goesRound() throws {
        var description = SyntheticStream(blocks: 27).description
        description.stepInputs = .init(shape: [3, 16, 3, 2, 8], dataType: .float32)
        description.restart = .init(first: 1, last: 120)
        description.seed = .max
        let text = String(decoding: try JSONEncoder().encode(description), as: UTF8.self)
        #expect(try read(text) == description)
    }

    @Test func whatAForeignOneLacksIsUnknown() throws {
        let text = #"{"kind":"frames","block_shape":[12,64,128,3],"data_type":"uint8"}"#
        let description = try read(text)
        #expect(description.blocks == nil)
        #expect(description.provenance == nil)
        #expect(description.frames(in: 0..<2) == nil)
    }

    @Test func countsFramesOfAShorterFirstBlock() throws {
        var description = StreamDescription(
            kind: .frames, blockShape: [12, 64, 128, 3], dataType: .uint8)
        description.framesPerBlock = 12
        description.firstBlockFrames = 9
        #expect(description.frames(in: 0..<8) == 93)
        #expect(description.frames(in: 4..<8) == 48)
        #expect(description.tensors(ofBlock: 0)[0].shape == [9, 64, 128, 3])
        #expect(description.tensors(ofBlock: 1)[0].shape == [12, 64, 128, 3])
    }

    @Test(arguments: [
        ("", "not JSON, or damaged"),
        ("[]", "not a JSON object"),
        (String(repeating: "[", count: 100_000), "not JSON, or damaged"),
        (#"{"kind":"latents"}"#, "'block_shape' is missing"),
        (
            #"{"kind":"replay","block_shape":[1,1,1,1],"data_type":"float32"}"#,
            "is a 'replay' file, expected a stream's description"
        ),
        (
            #"{"kind":"latents","block_shape":[16,3,8],"data_type":"float32"}"#,
            "'block_shape' has not four axes"
        ),
        (
            #"{"kind":"latents","block_shape":[16,-3,8,8],"data_type":"float32"}"#,
            "'block_shape' is [16, -3, 8, 8], no shape of a block"
        ),
        (
            #"{"kind":"latents","block_shape":[4611686018427387904,3,8,8],"data_type":"float32"}"#,
            "'block_shape' is [4611686018427387904, 3, 8, 8], no shape of a block"
        ),
        (
            #"{"kind":"latents","block_shape":[1,1,1,1],"data_type":"float31"}"#,
            "has the unknown data type 'float31'"
        ),
        (
            #"{"kind":"latents","block_shape":[1,1,1,1],"data_type":"float32","version":"7"}"#,
            "has version 7 of its format, newer than 1, the newest known"
        ),
        (
            #"{"kind":"latents","block_shape":[1,1,1,1],"data_type":"float32","blocks":-1}"#,
            "'blocks' is -1"
        ),
        (
            #"{"kind":"latents","block_shape":[1,1,1,1],"data_type":"float32","fps":"25"}"#,
            "'fps' has the wrong type"
        ),
        (
            #"{"kind":"latents","block_shape":[1,1,1,1],"data_type":"float32","lead_frames":9999999999}"#,
            "has an impossible number of frames"
        ),
    ])
    func refuses(_ text: String, _ reason: String) {
        let expected = "cannot read '\(folder.path)/stream.json': \(reason)"
        #expect(message { try read(text) } == expected)
    }
}
