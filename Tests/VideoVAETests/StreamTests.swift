import Compute
import ComputeCPU
import Tensors
import Testing
import VideoVAE

/// Streams on the CPU: however a stream is divided among calls and machines, the frames have the same bits.
@Suite struct StreamTests {
    let device: CPUDevice
    let model: VideoVAE
    let layout = StreamLayout(leadLatents: 7, blockLatents: 3)
    let blocks = 44

    init() throws {
        device = try CPUDevice()
        model = try TinyVAE.load(on: device)
    }

    @Test(arguments: [1, 3]) func anyRangeHasTheBitsOfTheSequentialRun(latentsPerPass: Int) throws {
        let all = try latents()
        func pixels(from firstBlock: Int) throws -> [UInt32] {
            let start = model.decoder.start(atBlock: firstBlock, of: layout)
            let decoder = StreamingDecoder(
                model.decoder, at: start, on: device, latentsPerPass: latentsPerPass)
            try decoder.warmUp(piece(all, start.warmUp, on: device))
            return try (firstBlock..<blocks).flatMap { block in
                let first = layout.position(ofBlock: block)
                let frames = try decoder.decode(
                    piece(all, first..<first + 3, on: device))
                return try device.floats(frames).map(\.bitPattern)
            }
        }
        let sequential = try pixels(from: 0)
        for firstBlock in [1, 12, 13, 20, 43] {
            let skipped = firstBlock * sequential.count / blocks
            #expect(try pixels(from: firstBlock) == Array(sequential[skipped...]))
        }
    }

    @Test func streamAndBatchHaveTheSameBits() throws {
        let all = try piece(latents(), 0..<13, on: device)
        func frames(_ pieces: [Range<Int>], latentsPerPass: Int) throws -> [UInt32] {
            let decoder = StreamingDecoder(
                model.decoder, on: device, latentsPerPass: latentsPerPass)
            return try pieces.flatMap {
                try device.floats(decoder.decode(piece(all, $0, on: device)))
                    .map(\.bitPattern)
            }
        }
        let batch = try frames([0..<13], latentsPerPass: 3)
        #expect(try frames([0..<7, 7..<10, 10..<13], latentsPerPass: 3) == batch)
        #expect(try frames((0..<13).map { $0..<$0 + 1 }, latentsPerPass: 1) == batch)
    }

    @Test func oneFrameOfAStillIsItsFirstLatent() throws {
        var random = SeededNumbers(seed: 3)
        let image = try device.tensor(random.next(32 * 16 * 3), [1, 32, 16, 3])
        let (reference, motion) = try model.encoder.encodeStill(image, frameCount: 9, on: device)
        let alone = try model.encoder.encode(frameCount: 1, on: device) { _ in image }
        #expect(try device.floats(reference) == device.floats(alone))
        #expect(try device.floats(piece(motion, 0..<1, on: device)) == device.floats(alone))
    }

    @Test func eightBitPixelsAreTheFramesTruncated() throws {
        let some = try piece(latents(), 0..<4, on: device)
        let frames = try device.floats(StreamingDecoder(model.decoder, on: device).decode(some))
        let pixels = try StreamingDecoder(model.decoder, on: device).decodePixels(some)
        var bytes = [UInt8](repeating: 0, count: frames.count)
        try bytes.withUnsafeMutableBytes { try device.read(pixels, into: $0) }
        #expect(bytes == frames.map { UInt8(min(max(($0 + 1) / 2, 0), 1) * 255) })
    }

    /// A stream of latents of the size that trained models have, [16, n, 2, 3].
    private func latents() throws -> Tensor {
        var random = SeededNumbers(seed: 17)
        let count = layout.position(ofBlock: blocks)
        return try device.tensor(random.next(16 * count * 6), [16, count, 2, 3])
    }
}
