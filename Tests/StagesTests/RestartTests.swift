import Artifacts
import Compute
import ComputeCPU
import Denoiser
import Foundation
import Stages
import Tensors
import TestSupport
import Testing

/// Denoising that is stopped late in a video and started again, through files.
@Suite struct RestartTests {
    /// What a restart must replay: three blocks for each layer. The last block on disk, which follows them, is made again
    /// and compared with what it was.
    private static let replayed = 3 * 3
    /// Blocks of the video, in clips of four: the reference is refreshed long before the end.
    private static let blocks = 16

    private let folder = TemporaryFolder()

    init() throws {
        try write("text", kind: "text-condition", ["context": [5, 32]])
        try write(
            "reference", kind: "reference",
            ["reference": [16, 1, 8, 8], "motion": [16, 19, 8, 8]])
        let frames = 12 * Self.blocks
        let writer = try AudioCondition.create(
            path: folder.path("audio"), frames: frames, layers: 4, width: 24,
            timing: .init(framesPerSecond: 25, clipFrames: 48, speechFrames: frames),
            provenance: Provenance(tool: "test", toolVersion: "test"))
        try writer.write(Self.wave(frames * 4 * 24), to: "features")
        try writer.commit()
    }

    @Test func replaysABoundedPastAndGoesOnToTheBit() throws {
        let whole = try denoise(to: "whole", stoppingAfter: nil)
        #expect(whole == Progress(made: Array(0..<Self.blocks)))
        let stop = 13
        #expect(throws: Stopped.self) { try denoise(to: "stopped", stoppingAfter: stop - 1) }
        let rest = try denoise(to: "stopped", stoppingAfter: nil)
        #expect(rest.replayed == Array(stop - 1 - Self.replayed..<stop - 1))
        #expect(rest.verified == [stop - 1])
        #expect(rest.made == Array(stop..<Self.blocks))
        for name in try files(of: "whole") {
            #expect(try bytes("stopped/\(name)") == bytes("whole/\(name)"), "\(name)")
        }
        #expect(try files(of: "stopped") == files(of: "whole"))
    }

    /// Weights and windows that are streamed change no byte of what is written, and are not told; a restart may stream others.
    @Test func streamsAndGoesOnToTheBit() throws {
        let residency = DenoiserResidency(
            streamedLayers: [0, 1, 2],
            streamedWindows: [Set<Int>](repeating: [0, 2], count: DenoisingOptions().steps))
        func device(_ seed: UInt64) throws -> ApartDevice {
            ApartDevice(try CPUDevice(), pace: .random(seed))
        }
        _ = try denoise(to: "resident", stoppingAfter: nil, on: device(1))
        let stop = 3
        #expect(throws: Stopped.self) {
            try denoise(
                to: "streamed", stoppingAfter: stop, on: device(2), residency: residency)
        }
        let found = try Self.names(ofBlocks: 0...stop).map { try bytes("streamed/\($0)") }
        let expected = try Self.names(ofBlocks: 0...stop).map { try bytes("resident/\($0)") }
        #expect(found == expected)
        #expect(try bytes("streamed/stream.json") == bytes("resident/stream.json"))
        let rest = try denoise(
            to: "streamed", stoppingAfter: nil, on: device(3),
            residency: DenoiserResidency(streamedLayers: [1]))
        #expect(rest.verified == [stop])
        #expect(try files(of: "streamed") == files(of: "resident"))
        for name in try files(of: "resident") {
            #expect(try bytes("streamed/\(name)") == bytes("resident/\(name)"), "\(name)")
        }
    }

    private static func names(ofBlocks blocks: ClosedRange<Int>) -> [String] {
        blocks.map { String(format: "%06d.safetensors", $0) }
    }

    /// What is computed in 8 bits shapes the bytes, so it is told.
    @Test func tellsTypesOfEightBits() throws {
        func provenance(_ name: String, _ options: DenoisingOptions) throws -> [String: String] {
            struct Document: Decodable {
                let provenance: Options
                struct Options: Decodable { let options: [String: String] }
            }
            #expect(throws: Stopped.self) {
                try denoise(to: name, stoppingAfter: nil, options: options, isLoading: false)
            }
            return try JSONDecoder().decode(
                Document.self, from: bytes("\(name)/stream.json")
            ).provenance.options
        }
        var options = DenoisingOptions()
        let plain = try provenance("plain", options)
        #expect(plain["precision"] == "f32" && plain["attention"] == nil)
        options.precision = .int8
        let narrow = try provenance("int8", options)
        #expect(narrow["precision"] == "int8" && narrow["attention"] == nil)
        options.precision = .float8
        options.attention = .float8E4M3
        let narrowest = try provenance("fp8", options)
        #expect(narrowest["precision"] == "fp8" && narrowest["attention"] == "fp8")
    }

    /// Blocks that a run replayed and made.
    private struct Progress: Equatable {
        var replayed: [Int] = []
        var verified: [Int] = []
        var made: [Int] = []
    }

    private struct Stopped: Error {}

    /// Runs the stage until it has made a block, or to the end; or until it would load weights.
    private func denoise(
        to output: String, stoppingAfter last: Int?, options: DenoisingOptions = .init(),
        on device: (any Device)? = nil, residency: DenoiserResidency = .resident,
        isLoading: Bool = true
    ) throws -> Progress {
        var progress = Progress()
        let paths = DenoisingPaths(
            weights: Fixtures.path("open/ckpt"), text: folder.path("text"),
            audio: [folder.path("audio")], reference: folder.path("reference"),
            output: folder.path(output))
        try DenoisingStage(
            paths, options: options, strict: true, toolVersion: "test",
            listener: { report in
                if case .progress = report, !isLoading { throw Stopped() }
                if case .replayed(let index, _) = report { progress.replayed.append(index) }
                if case .verified(let index, _) = report { progress.verified.append(index) }
                if case .block(let index, _, _) = report {
                    progress.made.append(index)
                    if index == last { throw Stopped() }
                }
            }
        ).run(on: device ?? CPUDevice(), residency: residency, manner: StreamManner())
        return progress
    }

    private func files(of name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path(name)).sorted()
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
    }

    /// Writes a condition as another program might: the tensors and their kind alone.
    private func write(_ name: String, kind: String, _ tensors: [String: Shape]) throws {
        let writer = try TensorFileWriter(
            path: folder.path(name),
            tensors: tensors.sorted { $0.key < $1.key }.map {
                TensorDescriptor(name: $0.key, dataType: .float32, shape: $0.value)
            }, metadata: ["kind": kind])
        for (name, shape) in tensors {
            try writer.write(Self.wave(shape.elementCount), to: name)
        }
        try writer.commit()
    }

    /// Numbers between -1 and 1.
    private static func wave(_ count: Int) -> [Float] {
        (0..<count).map { sin(Float($0) * 0.7) }
    }
}
