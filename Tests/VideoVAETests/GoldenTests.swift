import Checkpoints
import Compute
import ComputeCPU
import Foundation
import Tensors
import TestSupport
import Testing
import VideoVAE

/// The released code's results of every module of the tiny checkpoint, in float32 on a CPU. Those of the whole are cases of
/// Conformance.
@Suite struct GoldenTests {
    let goldens: TensorFile
    let device: CPUDevice
    let model: VideoVAE

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/vae.safetensors"))
        device = try CPUDevice()
        model = try TinyVAE.load(on: device)
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
