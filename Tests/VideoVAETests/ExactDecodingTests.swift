import Compute
import Layers
import Tensors
import Testing
import VideoVAE

/// Decoding from the middle of a stream, in arithmetic that rounds nothing away.
@Suite struct ExactDecodingTests {
    let device = ExactDevice()
    let model: VideoVAE
    let layout = StreamLayout(leadLatents: 7, blockLatents: 3)
    let blocks = 42

    init() throws {
        model = try VideoVAE(SeededWeights(width: 1, seed: 5))
        try model.decoder.parameters.load(on: device)
    }

    @Test func dependsOnThePublishedNumberOfLatents() {
        #expect(model.decoder.warmUpLatents == 38)
        // Modules of full resolution begin behind the third upsampling and reach 14 frames back.
        let warmUp = model.decoder.chain.warmUp
        #expect(warmUp.suffix(4) == [4, 3, 2, 1])
        #expect(zip(warmUp, warmUp.dropFirst()).allSatisfy { $0 >= $1 })
    }

    @Test func needsWholeBlocksBeforeABlock() {
        let start = model.decoder.start(atBlock: 40, of: layout)
        #expect(!start.needsLead && start.warmUpBlocks == 27..<40)
        #expect(start.warmUp == 7 + 81..<7 + 120)
        let early = model.decoder.start(atBlock: 10, of: layout)
        #expect(early.needsLead && early.warmUpBlocks == 0..<10 && early.warmUp == 0..<37)
        let edge = model.decoder.start(atBlock: 13, of: layout)
        #expect(!edge.needsLead && edge.warmUpBlocks == 0..<13 && edge.warmUp == 7..<46)
    }

    @Test func givesTheFramesOfTheSequentialRunWhereverItStarts() throws {
        let sequential = try frames(from: model.decoder.start(atBlock: 0, of: layout))
        let perBlock = sequential.count / blocks
        for firstBlock in [1, 11, 12, 13, 14, 29, 41] {
            let range = try frames(from: model.decoder.start(atBlock: firstBlock, of: layout))
            #expect(range == Array(sequential[(firstBlock * perBlock)...]), "block \(firstBlock)")
        }
    }

    @Test func failsWithOneLatentFewer() throws {
        let wanted = layout.position(ofBlock: 30)
        let needed = model.decoder.warmUpLatents
        func firstFrame(_ count: Int) throws -> [Float] {
            let start = DecodingStart(warmUp: wanted - count..<wanted)
            let decoder = StreamingDecoder(model.decoder, at: start, on: device, latentsPerPass: 1)
            try decoder.warmUp(latents(start.warmUp))
            return try device.floats(decoder.decode(latents(wanted..<wanted + 1))[0])
        }
        let all = try firstFrame(wanted)
        #expect(try firstFrame(needed) == all)
        #expect(try firstFrame(needed - 1) != all)
    }

    /// The frames of a decoder with this start to the end of the stream.
    private func frames(from start: DecodingStart) throws -> [Float] {
        let decoder = StreamingDecoder(model.decoder, at: start, on: device)
        try decoder.warmUp(latents(start.warmUp))
        let end = layout.position(ofBlock: blocks)
        return try device.floats(decoder.decode(latents(start.warmUp.upperBound..<end)))
    }

    /// A range of the stream's latents, [16, n, 1, 1].
    private func latents(_ range: Range<Int>) throws -> Tensor {
        let channels = model.architecture.latentChannels
        var elements: [Float] = []
        for channel in 0..<channels {
            elements += range.map { position in
                var numbers = SeededNumbers(seed: UInt64(position * channels + channel + 1))
                return numbers.next(3)[2]
            }
        }
        return try device.tensor(elements, [channels, range.count, 1, 1])
    }
}
