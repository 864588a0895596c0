import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Files of the real model's size, of which only the headers are on the disk.
@Suite struct LargeFileTests {
    @Test func opens32GBInNoTimeAndNoMemory() async {
        // A process of its own, since the peak counts what other tests use.
        await #expect(processExitsWith: .success) {
            let folder = TemporaryFolder()
            let path = folder.path("sparse.safetensors")
            let shapes = try DeclaredCheckpoint(
                shapes: Fixtures.path("real-14B-shapes.json"), section: "dit", dataType: .bfloat16)
            let size = try writeSparse(shapes.tensors, to: path)
            precondition(size > 32_000_000_000)

            ProcessMemory.resetPeak()
            let before = ProcessMemory.resident
            let start = ContinuousClock.now
            let checkpoint = try openCheckpoint(at: path)
            let last = try checkpoint.tensor("blocks.39.ffn.2.weight")
            let elapsed = ContinuousClock.now - start
            precondition(last.bytes.last == 0 && checkpoint.tensors.count == shapes.tensors.count)
            precondition(elapsed < .seconds(1), "took \(elapsed)")
            let growth = ProcessMemory.peak - before
            precondition(growth < 64 << 20, "took \(growth) bytes")
        }
    }

    @Test func readsAnArchiveBeyond4GB() throws {
        let folder = TemporaryFolder()
        let path = folder.path("sparse.pth")
        let count = 5 << 30
        try writeSparseArchive(byteTensorOf: count, to: path)
        let archive = try TorchArchive(path: path)
        #expect(archive.tensors.map(\.shape) == [[count], [3]])
        #expect(try archive.tensor("large").bytes.last == 0)
        #expect(try archive.tensor("small").floats() == [1, 2, 3])
    }
}

/// Writes a tensor file's header and leaves its data a hole; returns the file's size.
private func writeSparse(_ tensors: [TensorDescriptor], to path: String) throws -> Int {
    let header = TensorFileHeader(laying: tensors, metadata: [:])
    let bytes = header.encoded()
    let size = bytes.count + tensors.map(\.byteCount).reduce(0, +)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.truncate(atOffset: UInt64(size))
    try handle.close()
    return size
}

/// Writes an archive of a tensor of so many zero bytes, a hole, and of a small one behind it.
private func writeSparseArchive(byteTensorOf count: Int, to path: String) throws {
    var pickle = PickleBuilder()
    pickle.add("large", storage: "ByteStorage", key: "0", count: count)
    pickle.add("small", storage: "FloatStorage", key: "1", count: 3)
    var archive = try ArchiveBuilder(path: path)
    try archive.add("sparse/data.pkl", pickle.finished())
    try archive.addHole("sparse/data/0", byteCount: count)
    try archive.add("sparse/data/1", [Float(1), 2, 3].withUnsafeBytes { Array($0) })
    try archive.finish()
}
