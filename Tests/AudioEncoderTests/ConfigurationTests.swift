import AudioEncoder
import Checkpoints
import Foundation
import TestSupport
import Testing

/// Reading `config.json`, and what is said about one that does not fit.
@Suite struct ConfigurationTests {
    private let published = Fixtures.path(
        "open/ckpt/Wan2.2-S2V-14B/wav2vec2-large-xlsr-53-english/config.json")

    @Test func readsThePublishedKeys() throws {
        let configuration = try Wav2Vec2Configuration(ConfigurationFile(path: published))
        #expect(configuration.convolutions.map(\.kernel) == [10, 3, 3, 3, 3, 2, 2])
        #expect(configuration.convolutions.map(\.stride) == [5, 2, 2, 2, 2, 2, 2])
        #expect(configuration.convolutions.allSatisfy { $0.channels == 16 })
        #expect(configuration.hiddenSize == 24 && configuration.heads == 2)
        #expect(configuration.layers == 3 && configuration.states == 4)
        #expect(configuration.positionalKernel == 16 && configuration.positionalGroups == 4)
        #expect(configuration.hop == 320 && configuration.stepRate == 50)
    }

    @Test func countsStepsAndSamples() {
        let configuration = RealSpeechModel.configuration
        #expect(configuration.steps(samples: 20_800) == 64)
        #expect(configuration.steps(samples: 399) == 0)
        #expect(configuration.steps(samples: 400) == 1)
        #expect(configuration.samples(of: 0..<1) == 0..<400)
        #expect(configuration.samples(of: 10..<12) == 3200..<3920)
        for steps in [1, 2, 7, 512] {
            let samples = configuration.samples(of: 0..<steps).count
            #expect(configuration.steps(samples: samples) == steps)
            #expect(configuration.steps(samples: samples - 1) == steps - 1)
        }
    }

    @Test(arguments: [
        (
            "\"do_stable_layer_norm\": true", "\"do_stable_layer_norm\": false",
            "key 'do_stable_layer_norm' is false, only the stable variant is offered"
        ),
        (
            "\"feat_extract_norm\": \"layer\"", "\"feat_extract_norm\": \"group\"",
            "key 'feat_extract_norm' is 'group', only 'layer' is offered"
        ),
        (
            "\"num_attention_heads\": 2", "\"num_attention_heads\": 5",
            "key 'num_attention_heads' is 5, which does not divide 'hidden_size' 24"
        ),
        (
            "\"hidden_size\": 24,", "",
            "key 'hidden_size' is missing, expected an integer of at least 1"
        ),
        (
            "\"conv_dim\": [\n    16,", "\"conv_dim\": [",
            "key 'conv_dim' has 6 layers, 'conv_kernel' or 'conv_stride' has not"
        ),
    ])
    func namesTheKeyThatDoesNotFit(old: String, new: String, reason: String) throws {
        let text = try String(contentsOfFile: published, encoding: .utf8)
        #expect(text.contains(old))
        let folder = TemporaryFolder()
        let path = folder.path("config.json")
        try text.replacingOccurrences(of: old, with: new).write(
            toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: (any Error).self) {
            try Wav2Vec2Configuration(ConfigurationFile(path: path))
        }
        #expect("\(try #require(error))" == "cannot read '\(path)': \(reason)")
    }
}
