import Checkpoints
import Compute
import ComputeCPU
import Foundation
import Tensors
import TestSupport
import Testing
import VideoVAE

/// The released code's results for the tiny checkpoint, in float32 on a CPU.
@Suite struct GoldenTests {
    let goldens: TensorFile
    let device: CPUDevice
    let model: VideoVAE

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/vae.safetensors"))
        device = try CPUDevice()
        model = try TinyVAE.load(on: device)
    }

    @Test func encodes() throws {
        let video = try device.tensor("encode.video", of: goldens, axes: [1, 2, 3, 0])
        let latents = try model.encoder.encode(frameCount: video.shape[0], on: device) {
            video.rows($0)
        }
        let expected = try device.tensor("encode.latents", of: goldens, axes: [0, 1, 2, 3])
        let error = try largestError(latents, expected, on: device)
        print(#function, error)
        #expect(error < 5e-5, "error \(error)")  // observed 2.4e-6
    }

    @Test func decodes() throws {
        let latents = try device.tensor("decode.latents", of: goldens, axes: [0, 1, 2, 3])
        let frames = try StreamingDecoder(model.decoder, on: device).decode(latents)
        let expected = try device.tensor("decode.frames", of: goldens, axes: [1, 2, 3, 0])
        let error = try largestError(frames, expected, clamped: true, on: device)
        print(#function, error)
        #expect(error < 5e-5, "error \(error)")  // observed 4.1e-6
    }

    @Test(arguments: [1, 3]) func decodesAStream(latentsPerPass: Int) throws {
        let all = try device.tensor("stream.latents", of: goldens, axes: [0, 1, 2, 3])
        let expected = try device.tensor("stream.frames", of: goldens, axes: [1, 2, 3, 0])
        let decoder = StreamingDecoder(
            model.decoder, on: device, latentsPerPass: latentsPerPass)
        var frames = 0
        for range in [0..<7, 7..<10, 10..<13] {
            let piece = try decoder.decode(piece(all, range, on: device))
            let error = try largestError(
                piece, expected.rows(frames..<frames + piece.shape[0]), clamped: true, on: device)
            print(#function, error)
            #expect(error < 5e-5, "error \(error)")  // observed 3.6e-6
            frames += piece.shape[0]
        }
        #expect(frames == expected.shape[0])
    }

    @Test func everyModuleOfTheEncoderAgrees() throws {
        let video = try device.tensor("encode.video", of: goldens, axes: [1, 2, 3, 0])
        let pieces = [video.rows(0..<1), video.rows(1..<5), video.rows(5..<9)]
        try expectModules(model.encoder.chain, pieces, "encode.dbg")
    }

    @Test func everyModuleOfTheDecoderAgrees() throws {
        let all = try device.tensor("decode.latents", of: goldens, axes: [0, 1, 2, 3])
        let input = try model.decoder.denormalized(all, on: device)
        let pieces = (0..<4).map { input.rows($0..<$0 + 1) }
        try expectModules(model.decoder.chain, pieces, "decode.dbg")
    }

    /// Compares mean, deviation and the first eight values of each module's output for each piece.
    private func expectModules(_ chain: StreamChain, _ pieces: [Tensor], _ name: String) throws {
        let rows = try goldens.tensor(name).floats()
        let names = try #require(goldens.metadata["\(name).names"]).split(separator: ",")
        #expect(names.count == chain.modules.count)
        let stream = StreamState(isAtStart: true)
        for (chunk, piece) in pieces.enumerated() {
            var x = piece
            for (index, module) in chain.modules.enumerated() {
                #expect(module.path.hasPrefix(String(names[index])))
                x = try module(x, stream: stream, on: device)
                let start = (chunk * names.count + index) * 10
                let error =
                    try zip(statistics(x), rows[start..<start + 10]).map {
                        abs($0 - $1) / (1 + abs($1))
                    }.max() ?? .infinity
                #expect(error < 5e-5, "\(names[index]), piece \(chunk): error \(error)")
            }
            stream.endPiece()
        }
    }

    /// Mean, deviation (of a sample) and first eight values in the released code's order of axes.
    private func statistics(_ x: Tensor) throws -> [Float] {
        let values = try device.floats(device.permuted(x, axes: [3, 0, 1, 2])).map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = sqrt(squares / Double(values.count - 1))
        return ([mean, deviation] + values.prefix(8)).map { Float($0) }
    }
}

/// The fixtures' model.
enum TinyVAE {
    /// The model with its weights on a device.
    static func load(on device: any Device) throws -> VideoVAE {
        let folder = try WeightFolder(path: Fixtures.path("open/ckpt"))
        let source = WeightBinder(try folder.videoVAE())
        let model = try VideoVAE(source)
        #expect(try source.finish(strict: true) == [])
        try model.encoder.parameters.load(on: device)
        try model.decoder.parameters.load(on: device)
        return model
    }
}

/// The same in bfloat16, where the processor multiplies it.
@Suite(.enabled(if: CPUDevice.isSupported(.bfloat16)))
struct BFloat16Tests {
    @Test func decodesWithinTheTypesPrecision() throws {
        let goldens = try TensorFile(path: Fixtures.path("open/goldens/vae.safetensors"))
        let device = try CPUDevice(activationType: .bfloat16)
        let model = try TinyVAE.load(on: device)
        let latents = try device.tensor("decode.latents", of: goldens, axes: [0, 1, 2, 3])
        let frames = try device.floats(StreamingDecoder(model.decoder, on: device).decode(latents))
        let expected = try device.floats(
            device.tensor("decode.frames", of: goldens, axes: [1, 2, 3, 0]))
        let difference = zip(frames, expected).reduce(Float(0)) {
            let error = min(max($1.0, -1), 1) - $1.1
            return $0 + error * error
        }
        let error = (difference / expected.reduce(Float(0)) { $0 + $1 * $1 }).squareRoot()
        // PyTorch in bfloat16 is 2.38e-2 away from its own float32.
        #expect(error < 2.3e-2, "error \(error)")  // observed 1.85e-2
    }
}
