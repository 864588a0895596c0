import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct TensorFileTests {
    let folder = TemporaryFolder()

    @Test func readsBackWhatWasWritten() throws {
        let path = folder.path("a.safetensors")
        let writer = try TensorFileWriter(
            path: path,
            tensors: [
                TensorDescriptor(name: "bytes", dataType: .uint8, shape: [3]),
                TensorDescriptor(name: "größe \"quoted\"\n", dataType: .float32, shape: [2, 2]),
                TensorDescriptor(name: "nothing", dataType: .int64, shape: [0, 7]),
            ],
            metadata: ["kind": "test", "tab": "\t"])
        try writer.bytes(of: "bytes").copyBytes(from: [1, 2, 3])
        try [Float(1), -2, 0.5, .infinity].withUnsafeBytes {
            try writer.write($0, to: "größe \"quoted\"\n")
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        try writer.commit()

        let file = try TensorFile(path: path)
        #expect(file.metadata == ["kind": "test", "tab": "\t"])
        #expect(file.tensors.map(\.name) == ["nothing", "größe \"quoted\"\n", "bytes"])
        #expect(try file.tensor("bytes").floats() == [1, 2, 3])
        #expect(try file.tensor("größe \"quoted\"\n").floats() == [1, -2, 0.5, .infinity])
        #expect(try file.tensor("größe \"quoted\"\n").isAligned)
        #expect(try file.tensor("nothing").shape == [0, 7])
    }

    @Test func leavesNothingBehindWhenDropped() throws {
        let path = folder.path("b.safetensors")
        _ = try TensorFileWriter(path: path, tensors: [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func namesTheMissingTensor() throws {
        let path = folder.path("c.safetensors")
        try TensorFileWriter(path: path, tensors: []).commit()
        let file = try TensorFile(path: path)
        #expect(throws: TensorFileError(path: path, tensor: "x", reason: "is missing")) {
            try file.tensor("x")
        }
    }

    @Test func refusesASecondLivingWriter() throws {
        let path = folder.path("d.safetensors")
        let first = try TensorFileWriter(path: path, tensors: [])
        #expect(throws: SystemError.self) { try TensorFileWriter(path: path, tensors: []) }
        try first.commit()
        #expect(throws: Never.self) { try TensorFile(path: path) }
    }

    @Test func readsTheReleasedCodesGoldens() throws {
        let file = try TensorFile(path: Fixtures.path("open/goldens/scheduler.safetensors"))
        let timesteps = try file.tensor("euler.n4.timesteps").floats()
        #expect(timesteps.count == 4)
        #expect(timesteps.first == 1000)
    }
}
