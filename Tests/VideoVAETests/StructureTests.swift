import Checkpoints
import Compute
import Tensors
import TestSupport
import Testing
import VideoVAE

/// The published model, whose weights nobody here has: names, shapes, and the operations of a run.
@Suite struct StructureTests {
    let source: WeightBinder
    let model: VideoVAE
    let device = RecordingDevice(activationType: .bfloat16)
    let layout = StreamLayout(leadLatents: 7, blockLatents: 3)

    init() throws {
        let declared = try DeclaredCheckpoint(
            shapes: Fixtures.path("real-14B-shapes.json"), section: "vae", dataType: .float32)
        source = WeightBinder(declared)
        model = try VideoVAE(source)
    }

    @Test func asksForExactlyThePublishedTensors() throws {
        #expect(try source.finish(strict: true) == [])
        #expect(model.architecture.width == 96)
        #expect(model.encoder.parameters.count + model.decoder.parameters.count == 194)
    }

    @Test func namesTheTensorThatTellsTheWidth() throws {
        let empty = try DeclaredCheckpoint(path: "empty.pth", tensors: [])
        #expect {
            _ = try VideoVAE(WeightBinder(empty))
        } throws: {
            "\($0)" == "cannot use 'empty.pth': tensor 'encoder.conv1.weight' is missing"
        }
    }

    @Test func namesEveryAlteredWeight() throws {
        let tiny = try WeightFolder(path: Fixtures.path("open/ckpt")).videoVAE()
        let unnoticed = try unnoticedAlterations(of: tiny) {
            let weights = WeightBinder($0)
            _ = try VideoVAE(weights)
            _ = try weights.finish(strict: false)
        }
        #expect(unnoticed == [])
    }

    @Test(arguments: [[704, 384], [384, 256], [704, 1280]])
    func decodesABlockOfAnySize(size: [Int]) throws {
        let (h, w) = (size[0] / 8, size[1] / 8)
        let decoder = try startedDecoder(h, w)
        device.removeRecords()
        let frames = try decoder.decodePixels(device.allocate([16, 3, h, w], .float32))
        #expect(frames.description == "uint8[12, \(size[0]), \(size[1]), 3]")
        #expect(convolutions() == blockConvolutions(h, w))
        let attentions = device.records.filter { $0.operation == "attention" }
        #expect(attentions.map(\.output) == ["bfloat16[3, \(h * w), 1, 384]"])
        #expect(device.records.filter { $0.operation == "channelNorm" }.count == 30)
        #expect(device.records.count == 32 * 3 + 30 + 17)
    }

    @Test func keepsTwoFramesForEachConvolution() throws {
        try model.decoder.parameters.load(on: device)
        let weights = device.allocatedBytes
        let decoder = try startedDecoder(88, 48)
        withExtendedLifetime(decoder) {
            let pixels = 88 * 48
            // Rows of the table: convolutions, channels, area in units of the latents'.
            let table = [
                (1, 16, 1), (4 + 6 + 1, 384, 1), (1, 192, 4), (5 + 1, 384, 4), (6, 192, 16),
                (7, 96, 64),
            ]
            let elements = table.reduce(0) { $0 + $1.0 * $1.1 * $1.2 * 2 * pixels }
            #expect(device.allocatedBytes - weights == 2 * elements)
        }
    }

    @Test(arguments: [[704, 384], [384, 256], [704, 1280]])
    func encodesFramesOfAnySize(size: [Int]) throws {
        try model.encoder.parameters.load(on: device)
        let image = device.allocate([1, size[0], size[1], 3], .float32)
        let (reference, motion) = try model.encoder.encodeStill(image, frameCount: 73, on: device)
        let area = "\(size[0] / 8), \(size[1] / 8)"
        #expect(reference.description == "float32[16, 1, \(area)]")
        #expect(motion.description == "float32[16, 19, \(area)]")
        let pose = try model.encoder.encodePose(frameCount: 48, on: device) {
            device.allocate([$0.count, size[0], size[1], 3], .float32)
        }
        #expect(pose.description == "float32[16, 12, \(area)]")
    }

    @Test func asksForPixelsAFewAtATime() throws {
        try model.encoder.parameters.load(on: device)
        var asked: [Range<Int>] = []
        _ = try model.encoder.encodePose(frameCount: 8, on: device) {
            asked.append($0)
            return device.allocate([$0.count, 64, 32, 3], .float32)
        }
        #expect(asked == [0..<1, 0..<4, 4..<8])
    }

    @Test func warmsUpWithWorkThatDoesNotDependOnTheStart() throws {
        try model.decoder.parameters.load(on: device)
        let counts = try [20, 41, 1_000_000].map { block in
            device.removeRecords()
            let start = model.decoder.start(atBlock: block, of: layout)
            let decoder = StreamingDecoder(model.decoder, at: start, on: device)
            try decoder.warmUp(device.allocate([16, start.warmUp.count, 4, 4], .float32))
            return device.records.count
        }
        #expect(Set(counts).count == 1)
    }

    @Test(arguments: [0, 1, 7, 8], [1, 2, 3])
    func dividesAStreamAlikeWhereverItStarts(lead: Int, latentsPerPass: Int) throws {
        try model.decoder.parameters.load(on: device)
        let layout = StreamLayout(leadLatents: lead, blockLatents: 3)
        let runs = try [0, 20].map { firstBlock in
            let start = model.decoder.start(atBlock: firstBlock, of: layout)
            let decoder = StreamingDecoder(
                model.decoder, at: start, on: device, latentsPerPass: latentsPerPass)
            try decoder.warmUp(device.allocate([16, start.warmUp.count, 1, 1], .float32))
            for _ in firstBlock..<20 {
                _ = try decoder.decode(device.allocate([16, 3, 1, 1], .float32))
            }
            device.removeRecords()
            _ = try decoder.decode(device.allocate([16, 3, 1, 1], .float32))
            return device.records
        }
        #expect(runs[0] == runs[1])
    }

    @Test func stopsBetweenLayers() throws {
        struct Stop: Error {}
        let decoder = try startedDecoder(4, 4)
        let latents = device.allocate([16, 3, 4, 4], .float32)
        var reports: [Progress] = []
        #expect(throws: Stop.self) {
            try decoder.decode(latents) {
                reports.append($0)
                if $0.completed == 5 { throw Stop() }
            }
        }
        #expect(reports.map(\.completed) == [1, 2, 3, 4, 5])
        #expect(reports[0].total == model.decoder.chain.modules.count)
    }

    /// A decoder that has seen the lead of a stream.
    private func startedDecoder(_ h: Int, _ w: Int) throws -> StreamingDecoder {
        try model.decoder.parameters.load(on: device)
        let start = model.decoder.start(atBlock: 0, of: layout)
        let decoder = StreamingDecoder(model.decoder, at: start, on: device)
        try decoder.warmUp(device.allocate([16, 7, h, w], .float32))
        return decoder
    }

    /// How many convolutions of each input and output were asked for.
    private func convolutions() -> [String: Int] {
        let pairs = device.records.filter { $0.operation == "convolution" }.map {
            "\($0.inputs[0]) -> \($0.output)"
        }
        return Dictionary(pairs.map { ($0, 1) }, uniquingKeysWith: +)
    }

    /// The convolutions of a block of 3 latents in the middle of a stream: behind 2 frames of history, 3
    /// frames at the latents' area, 6 at 4 times that, 12 at 16 and 64 times.
    private func blockConvolutions(_ h: Int, _ w: Int) -> [String: Int] {
        func step(_ input: Int, _ from: Int, _ output: Int, _ to: Int, scale: Int) -> String {
            let area = "\(scale * h), \(scale * w)"
            return "bfloat16[\(input), \(area), \(from)] -> bfloat16[\(output), \(area), \(to)]"
        }
        return [
            step(5, 16, 3, 384, scale: 1): 1,
            step(5, 384, 3, 384, scale: 1): 10,
            step(5, 384, 3, 768, scale: 1): 1,
            step(6, 384, 6, 192, scale: 2): 1,
            step(8, 192, 6, 384, scale: 2): 1,
            step(8, 384, 6, 384, scale: 2): 5,
            step(8, 384, 6, 768, scale: 2): 1,
            step(12, 384, 12, 192, scale: 4): 1,
            step(14, 192, 12, 192, scale: 4): 6,
            step(12, 192, 12, 96, scale: 8): 1,
            step(14, 96, 12, 96, scale: 8): 6,
            step(14, 96, 12, 3, scale: 8): 1,
        ]
    }
}
